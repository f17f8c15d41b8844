// Natural bottlenecks: splits where a network's own features are smaller than its input, so that cutting there pays
// without a unit. Method: Bakhtiarnia et al. 2022 (dynamic split computing): among block outputs with fewer
// elements than the input, those with strictly fewer than every earlier one.
#pragma once

#include <vector>

#include "training/backbone.h"

namespace strait {

struct NaturalMark {
  bool by_elements = false;  // as published: elements against elements
  // What a link carries: float32 features against the input's 8-bit values. A feature element takes four bytes, an
  // image's takes one, so not every mark by elements sends less than the image.
  bool by_bytes = false;
  double compression_ratio = 0;  // bytes of the 8-bit input for each byte of float32 features
};

// One mark for each split; splits in program order, as Backbone has them, sizes of one sample. Of neighbouring
// splits with equally many elements the first module output stands for all, or the first where there is none: the
// value between a sum and its ReLU is no block's output.
std::vector<NaturalMark> MarkNaturalBottlenecks(const std::vector<SplitInfo>& splits, const Shape& input_shape);

}  // namespace strait
