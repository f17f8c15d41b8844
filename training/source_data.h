// One half of a recipe's data: images for the head, or feature tensors that a head has already left behind.
#pragma once

#include <torch/types.h>

#include <memory>

#include "datasets/dataset.h"
#include "strait/result.h"
#include "strait/tensor.h"
#include "training/recipe.h"

namespace strait {

struct SourceData {
  std::unique_ptr<Dataset> images;  // null for feature arrays, which are:
  torch::Tensor features;           // [N, ...] float32 on the CPU
  torch::Tensor labels;             // [N] int64; undefined where the folder has none

  int64_t size() const { return images ? static_cast<int64_t>(images->size()) : features.size(0); }
};

// Opens recipe.data.spec: what OpenDataset takes, or `npy:DIR` with DIR/{train,val}/features.npy (float16 or
// float32, [N, ...] with samples of `feature_shape`, the output of the head at the recipe's split) and, for the
// loss `task` and for accuracy against labels, labels.npy (integers, [N]). Takes train_samples or val_samples of
// it. Errors name the file.
Result<SourceData> OpenSourceData(const Recipe& recipe, Subset subset, const Shape& feature_shape);

}  // namespace strait
