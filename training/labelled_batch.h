// Batches of the loader as the tensors that networks and losses take.
#pragma once

#include <torch/types.h>

#include "datasets/loader.h"
#include "strait/result.h"

namespace strait {

// [N, 3, H, W] float32.
torch::Tensor PixelsOf(const Batch& batch);

// What logits [N, classes, ...] are compared with: classes of the images, [N], for logits of two axes, and for
// those that answer for every pixel the masks, [N, H, W]; int64. Undefined where the data set has no masks.
// kInvalidArgument for logits of other shapes, and as CheckClasses.
Result<torch::Tensor> LabelsOf(const Batch& batch, const torch::Tensor& logits);

// kInvalidArgument when labels, of `what`, hold a class that logits [N, classes, ...] lack.
Status CheckClasses(const torch::Tensor& labels, const torch::Tensor& logits, const char* what);

}  // namespace strait
