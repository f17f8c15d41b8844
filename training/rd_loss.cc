#include "training/rd_loss.h"

namespace strait {
namespace {

// Sums over all but the samples, then over the samples by their weights.
torch::Tensor WeightedSum(const torch::Tensor& values, const torch::Tensor& weights) {
  const torch::Tensor of_samples = values.reshape({values.size(0), -1}).sum(1);
  return weights.defined() ? (of_samples * weights).sum() : of_samples.sum();
}

torch::Tensor RelativeError(const torch::Tensor& restored, const torch::Tensor& reference,
                            const torch::Tensor& weights) {
  const torch::Tensor difference = restored.to(torch::kFloat) - reference;
  return WeightedSum(difference.square(), weights) / reference.square().sum().clamp_min(1e-12);
}

}  // namespace

torch::Tensor Distortion(const LossRecipe& recipe, const DistortionInputs& inputs) {
  const torch::Tensor& weights = inputs.weights;
  if (recipe.kind == LossKind::kFeature) return RelativeError(inputs.restored, inputs.reference, weights);
  const torch::Tensor logits = inputs.logits.to(torch::kFloat);
  // Of every answer: of a sample, or of each of its pixels.
  const auto answers = static_cast<double>(logits.numel() / logits.size(1));
  if (recipe.kind == LossKind::kTask) {
    namespace F = torch::nn::functional;
    const auto options = F::CrossEntropyFuncOptions().reduction(torch::kNone);
    return WeightedSum(F::cross_entropy(logits, inputs.labels, options), weights) / answers;
  }
  const double t = recipe.temperature;
  const torch::Tensor divergence =
      torch::kl_div(torch::log_softmax(logits / t, 1), torch::log_softmax(inputs.reference_logits / t, 1),
                    at::Reduction::None, /*log_target=*/true);
  torch::Tensor distortion = WeightedSum(divergence, weights) * (t * t / answers);
  if (inputs.stages.empty()) return distortion;
  const double weight = recipe.feature_weight / static_cast<double>(inputs.stages.size());
  for (size_t i = 0; i < inputs.stages.size(); ++i)
    distortion = distortion + weight * RelativeError(inputs.stages[i], inputs.reference_stages[i], weights);
  return distortion;
}

}  // namespace strait
