// Shapes of the runtime as LibTorch takes and gives them.
#pragma once

#include <torch/types.h>

#include "strait/tensor.h"

namespace strait {

// Borrows `shape`.
inline torch::IntArrayRef SizesOf(const Shape& shape) { return {shape.data(), shape.size()}; }

inline Shape ShapeOf(const torch::Tensor& tensor) { return {tensor.sizes().begin(), tensor.sizes().end()}; }

// Without the batch; empty for a scalar.
inline Shape SampleShapeOf(const torch::Tensor& tensor) {
  return tensor.dim() == 0 ? Shape{} : Shape(tensor.sizes().begin() + 1, tensor.sizes().end());
}

}  // namespace strait
