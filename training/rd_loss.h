// Distortion terms of the rate-distortion loss: D + lambda * R, D in nats (task, distill) or relative squared error (feature).
#pragma once

#include <torch/torch.h>

#include "training/recipe.h"

namespace strait {

// What one training step compares. `reference_*` come from the unsplit network on the same input.
struct DistortionInputs {
  torch::Tensor restored;          // feature tensor after the unit
  torch::Tensor reference;         // feature tensor before it
  torch::Tensor logits;            // tail(restored); undefined for LossKind::kFeature
  torch::Tensor reference_logits;
  torch::Tensor labels;            // [N] int64
};

// Sum of squared differences over the sum of squares of the reference: 0 is exact, 1 is as good as zeros.
torch::Tensor RelativeError(const torch::Tensor& restored, const torch::Tensor& reference);

// Scalar distortion of a batch, mean over samples.
//   task     cross-entropy with the labels
//   distill  temperature^2 * KL(reference || restored) of the softmax outputs (Hinton et al. 2015), plus feature_weight
//            times RelativeError; needs no labels
//   feature  RelativeError alone
torch::Tensor Distortion(const LossRecipe& recipe, const DistortionInputs& inputs);

}  // namespace strait
