// Bottleneck units: analysis, gains and synthesis under training, one class for every family.
//
// strait: one unit for all levels; gain and inverse-gain vectors a level, learned prior, additive uniform noise.
//
// datta2022: one unit a lambda as published (Datta et al. 2022): depthwise and pointwise convolutions with batch
// norm, uniform quantiser of a fixed step with a straight-through gradient, l1 norm of the latent as the rate.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "strait/tensor.h"
#include "training/entropy_bottleneck.h"
#include "training/recipe.h"
#include "training/transform_module.h"

namespace strait {

class BottleneckUnitImpl : public torch::nn::Module {
 public:
  // feature_shape is that of one sample: {C, H, W} or {T, C}. `rectified` says that no feature is negative (the
  // value comes out of a ReLU): synthesis then ends in one.
  BottleneckUnitImpl(const UnitRecipe& recipe, const Shape& feature_shape, int64_t levels, bool rectified);

  struct LevelRate {
    int64_t level;
    double share;        // of the samples
    torch::Tensor rate;  // scalar, a sample: bits under the prior (strait) or l1 norm of the symbols (datta2022)
  };
  struct Output {
    torch::Tensor restored;  // feature tensor after the unit, of the shape of the input
    std::vector<LevelRate> rates;
  };
  // One training pass at as many levels as there are samples, at most all: sample i at level (first_level + i) mod
  // levels(). `rounded` sends rounded latents (straight-through gradient) to synthesis; otherwise noisy ones.
  // datta2022 always rounds.
  Output Forward(const torch::Tensor& features, int64_t first_level, bool rounded);

  torch::Tensor Analyze(const torch::Tensor& features) { return analysis_->forward(features); }
  torch::Tensor Synthesize(const torch::Tensor& latent) { return synthesis_->forward(latent); }

  // Sets gains and the prior's scales of every level from a first batch; lambdas as the levels have them.
  void Initialize(const torch::Tensor& features, const std::vector<double>& lambdas);

  // Drops every other channel of the latent, for good: a unit for export, not for training.
  void KeepChannels(const torch::Tensor& channels);

  // [C], positive.
  torch::Tensor Gain(int64_t level) const { return torch::exp(log_gain_[level]); }
  torch::Tensor InverseGain(int64_t level) const { return torch::exp(log_inverse_gain_[level]); }

  UnitFamily family() const { return family_; }
  int64_t levels() const { return static_cast<int64_t>(log_gain_.size()); }
  int64_t channels() const { return channels_; }
  const EntropyBottleneck& prior() const { return prior_; }  // null for datta2022
  const TransformModule& analysis() const { return analysis_; }
  const TransformModule& synthesis() const { return synthesis_; }

  // Weights of the transforms, and those that set the scale of the latent (gains and prior), which learn faster.
  std::vector<torch::Tensor> TransformParameters() const;
  std::vector<torch::Tensor> ScaleParameters() const;

 private:
  void BuildStrait(const UnitRecipe& recipe, const Shape& feature_shape, bool rectified);
  void BuildStraitTokens(const UnitRecipe& recipe, const Shape& feature_shape, bool rectified);
  void BuildDatta2022(const UnitRecipe& recipe, const Shape& feature_shape);
  // [N, C] to a shape that broadcasts over the latent.
  torch::Tensor OverChannels(const torch::Tensor& vectors) const;

  UnitFamily family_;
  int64_t channels_;
  bool tokens_;
  TransformModule analysis_, synthesis_;
  EntropyBottleneck prior_{nullptr};
  std::vector<torch::Tensor> log_gain_,
      log_inverse_gain_;  // parameters (strait) or constants (datta2022), [C] a level
};
TORCH_MODULE(BottleneckUnit);

// kInvalidArgument when a unit of the recipe cannot stand at a feature tensor of this shape.
Status CheckUnitFits(const UnitRecipe& recipe, const Shape& feature_shape);

}  // namespace strait
