// Shapes and borrowed views of tensors.
// A view never owns its data: the caller keeps it alive and unchanged for the length of the call.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace strait {

// Dimensions from outermost to innermost; feature maps are {N, C, H, W}, tokens {N, T, C}.
using Shape = std::vector<int64_t>;

// Product of the dimensions; 1 for an empty shape, -1 when a dimension is negative or the product
// does not fit in int64_t (so that a hostile shape can be refused before anything is allocated).
int64_t NumElements(const Shape& shape);

// "64x16x16".
std::string ToString(const Shape& shape);

// Contiguous float32 tensor, row major.
struct TensorView {
  const float* data = nullptr;
  Shape shape;
};

}  // namespace strait
