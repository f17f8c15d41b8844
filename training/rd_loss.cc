#include "training/rd_loss.h"

namespace strait {

torch::Tensor RelativeError(const torch::Tensor& restored, const torch::Tensor& reference) {
  const torch::Tensor difference = restored.to(torch::kFloat) - reference;
  return difference.square().sum() / reference.square().sum().clamp_min(1e-12);
}

torch::Tensor Distortion(const LossRecipe& recipe, const DistortionInputs& inputs) {
  if (recipe.kind == LossKind::kFeature) return RelativeError(inputs.restored, inputs.reference);
  const torch::Tensor logits = inputs.logits.to(torch::kFloat);
  if (recipe.kind == LossKind::kTask) return torch::nn::functional::cross_entropy(logits, inputs.labels);
  const double t = recipe.temperature;
  const torch::Tensor divergence =
      torch::kl_div(torch::log_softmax(logits / t, 1), torch::log_softmax(inputs.reference_logits / t, 1),
                    at::Reduction::Sum, /*log_target=*/true);
  // Of every answer: of a sample, or of each of its pixels.
  const auto answers = static_cast<double>(logits.numel() / logits.size(1));
  torch::Tensor distortion = divergence * (t * t / answers);
  if (inputs.stages.empty()) return distortion;
  const double weight = recipe.feature_weight / static_cast<double>(inputs.stages.size());
  for (size_t i = 0; i < inputs.stages.size(); ++i) {
    distortion = distortion + weight * RelativeError(inputs.stages[i], inputs.reference_stages[i]);
  }
  return distortion;
}

}  // namespace strait
