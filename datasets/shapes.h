// `shapes`: a built-in procedural data set, so that everything can be tried without a download.
// 64x64 RGB, ten classes of outline; texture, colour, size, rotation, stretch, clutter, occlusion, light and noise
// are random. Image `index` of a subset depends on (seed, subset, index) alone and is the same on every machine:
// integer random numbers, and floats through + - * / and square root only. Labels cycle through the classes.
// The mask holds label + 1 where the object is visible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "datasets/dataset.h"

namespace strait {

inline constexpr uint64_t kMaxShapesSize = 100'000'000;

struct ShapesOptions {
  uint64_t seed = 1;
  uint64_t train_size = 8000;
  uint64_t validation_size = 2000;
};

std::unique_ptr<Dataset> MakeShapes(const ShapesOptions& options, Subset subset);

}  // namespace strait
