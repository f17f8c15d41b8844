// Distortion terms of the rate-distortion loss: D + lambda * R, D in nats (task, distill) or relative squared error
// (feature).
#pragma once

#include <torch/torch.h>

#include <vector>

#include "training/recipe.h"

namespace strait {

// What one training step compares. `reference_*` come from the unsplit network on the same input.
struct DistortionInputs {
  torch::Tensor restored;   // feature tensor after the unit
  torch::Tensor reference;  // feature tensor before it
  torch::Tensor logits;     // tail(restored); undefined for LossKind::kFeature
  torch::Tensor reference_logits;
  torch::Tensor labels;                              // [N] or [N, H, W] int64
  std::vector<torch::Tensor> stages = {};            // features of the tail's stages; empty unless distilled
  std::vector<torch::Tensor> reference_stages = {};  // in the unsplit network
  torch::Tensor weights = {};                        // [N], of the samples; undefined: 1 each
};

// Scalar distortion of a batch, mean over samples (and over the pixels that logits [N, classes, H, W] answer for)
// of each one's distortion times its weight. A relative error is the sum of squared differences over the sum of
// squares of the reference, both of the whole batch: 0 is exact, 1 is as good as zeros.
//
// task: cross-entropy with the labels.
//
// distill: temperature^2 * KL(reference || restored) of the softmax outputs (Hinton et al. 2015), plus
// feature_weight times the mean relative error of the tail's stages (as in FitNets, Romero et al. 2015); needs no
// labels.
//
// feature: relative error alone.
torch::Tensor Distortion(const LossRecipe& recipe, const DistortionInputs& inputs);

}  // namespace strait
