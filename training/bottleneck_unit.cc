#include "training/bottleneck_unit.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "entropy/error.h"
#include "training/autocast.h"

namespace strait {
namespace {

using Activation = TransformModuleImpl::Activation;

// Standard deviation of the top level's symbols at the start: fine enough that the distortion is felt before
// the rate closes channels.
constexpr double kInitialSymbolStd = 4;
// Step sizes at equal slope follow the square root of lambda; a little flatter, since the levels share transforms.
constexpr double kGainExponent = 0.35;

torch::Tensor RoundStraightThrough(const torch::Tensor& x) { return x + (torch::round(x) - x).detach(); }

}  // namespace

Status CheckUnitFits(const UnitRecipe& recipe, const Shape& feature_shape) {
  if (feature_shape.size() != 3 && feature_shape.size() != 2) {
    return Error(StatusCode::kUnsupported, "unit: split of shape ", ToString(feature_shape),
                 " is neither a feature map CxHxW nor tokens TxC; choose another split");
  }
  if (feature_shape.size() == 2) {
    if (recipe.family == UnitFamily::kDatta2022) {
      return Error(StatusCode::kUnsupported,
                   "unit: family datta2022 needs a feature map CxHxW, the split gives tokens ",
                   ToString(feature_shape), "; use family strait");
    }
    return Status();
  }
  for (int axis = 1; axis < 3; ++axis) {
    if (feature_shape[axis] % recipe.stride != 0) {
      return Error(StatusCode::kInvalidArgument, "unit.stride: ", recipe.stride,
                   " does not divide the feature map ", ToString(feature_shape), "; use a stride that does");
    }
  }
  if (recipe.family == UnitFamily::kStrait && recipe.synthesis_width % (recipe.stride * recipe.stride) != 0) {
    return Error(StatusCode::kInvalidArgument, "unit.synthesis_width: ", recipe.synthesis_width,
                 " is not a multiple of stride^2 = ", recipe.stride * recipe.stride);
  }
  return Status();
}

BottleneckUnitImpl::BottleneckUnitImpl(const UnitRecipe& recipe, const Shape& feature_shape, int64_t levels,
                                       bool rectified)
    : family_(recipe.family), channels_(recipe.channels), tokens_(feature_shape.size() == 2) {
  if (family_ == UnitFamily::kDatta2022) {
    BuildDatta2022(recipe, feature_shape);
  } else if (tokens_) {
    BuildStraitTokens(recipe, feature_shape, rectified);
  } else {
    BuildStrait(recipe, feature_shape, rectified);
  }
  register_module("analysis", analysis_);
  register_module("synthesis", synthesis_);
  if (family_ == UnitFamily::kStrait)
    prior_ = register_module("prior", EntropyBottleneck(levels, channels_, recipe.context));
  for (int64_t level = 0; level < levels; ++level) {
    const std::string suffix = std::to_string(level);
    if (family_ == UnitFamily::kStrait) {
      log_gain_.push_back(register_parameter("log_gain" + suffix, torch::zeros({channels_})));
      log_inverse_gain_.push_back(register_parameter("log_inverse_gain" + suffix, torch::zeros({channels_})));
    } else {
      const double log_step = std::log(recipe.step);
      log_gain_.push_back(register_buffer("log_gain" + suffix, torch::full({channels_}, -log_step)));
      log_inverse_gain_.push_back(register_buffer("log_inverse_gain" + suffix, torch::full({channels_}, log_step)));
    }
  }
}

// Analysis: depthwise 3x3, 1x1, strided 3x3. Synthesis, on the server: two 3x3 at low resolution, pixel shuffle, a
// residual pair of 3x3 at full resolution.
void BottleneckUnitImpl::BuildStrait(const UnitRecipe& recipe, const Shape& feature_shape, bool rectified) {
  const int64_t features = feature_shape[0];
  const int64_t width = recipe.analysis_width;
  analysis_->AddConv({.in = features, .out = features, .kernel = 3, .groups = features});
  analysis_->AddConv({.in = features, .out = width, .batch_norm = true, .activation = Activation::kRelu});
  analysis_->AddConv({.in = width, .out = recipe.channels, .kernel = 3, .stride = recipe.stride});

  const int64_t wide = recipe.synthesis_width;
  const int64_t hidden = recipe.synthesis_hidden > 0 ? recipe.synthesis_hidden : wide / 2;
  const int64_t shuffled = wide / (recipe.stride * recipe.stride);
  synthesis_->AddConv({.in = recipe.channels, .out = hidden, .kernel = 3, .activation = Activation::kRelu});
  synthesis_->AddConv({.in = hidden, .out = wide, .kernel = 3});
  if (recipe.stride > 1) synthesis_->AddPixelShuffle(recipe.stride);
  const size_t before_pair = synthesis_->num_layers();
  synthesis_->AddConv({.in = shuffled, .out = shuffled, .kernel = 3, .activation = Activation::kRelu});
  synthesis_->AddConv({.in = shuffled, .out = features, .kernel = 3});
  if (shuffled == features) synthesis_->AddResidual(before_pair);
  if (rectified) synthesis_->AddRelu();
}

void BottleneckUnitImpl::BuildStraitTokens(const UnitRecipe& recipe, const Shape& feature_shape, bool rectified) {
  const int64_t features = feature_shape[1];
  analysis_->AddLinear(features, recipe.analysis_width, Activation::kRelu);
  analysis_->AddLinear(recipe.analysis_width, recipe.channels, Activation::kNone);
  synthesis_->AddLinear(recipe.channels, recipe.synthesis_width, Activation::kRelu);
  synthesis_->AddLinear(recipe.synthesis_width, features, rectified ? Activation::kRelu : Activation::kNone);
}

void BottleneckUnitImpl::BuildDatta2022(const UnitRecipe& recipe, const Shape& feature_shape) {
  const int64_t features = feature_shape[0];
  const TransformModuleImpl::ConvOptions depthwise = {.in = features,
                                                      .out = features,
                                                      .kernel = 3,
                                                      .stride = recipe.stride,
                                                      .groups = features,
                                                      .batch_norm = true,
                                                      .activation = Activation::kRelu};
  analysis_->AddConv(depthwise);
  analysis_->AddConv({.in = features, .out = recipe.channels, .batch_norm = true, .activation = Activation::kRelu});
  synthesis_->AddConv(
      {.in = recipe.channels, .out = features, .batch_norm = true, .activation = Activation::kRelu});
  synthesis_->AddConvTranspose(depthwise);
}

torch::Tensor BottleneckUnitImpl::OverChannels(const torch::Tensor& vectors) const {
  return tokens_ ? vectors.unsqueeze(1) : vectors.unsqueeze(2).unsqueeze(3);
}

BottleneckUnitImpl::Output BottleneckUnitImpl::Forward(const torch::Tensor& features, int64_t first_level,
                                                       bool rounded) {
  // Sample i belongs to group i mod groups, each of another level.
  const int64_t samples = features.size(0), groups = std::min(samples, levels());
  const auto level_of = [&](int64_t group) { return (first_level + group) % levels(); };
  const auto of_samples = [&](const std::vector<torch::Tensor>& log_gains) {
    std::vector<torch::Tensor> of_groups;
    for (int64_t group = 0; group < groups; ++group)
      of_groups.push_back(log_gains[static_cast<size_t>(level_of(group))]);
    const torch::Tensor in_turn = torch::exp(torch::stack(of_groups)).repeat({(samples + groups - 1) / groups, 1});
    return OverChannels(in_turn.slice(0, 0, samples));
  };
  const torch::Tensor latent = [&] {
    // bfloat16 would move symbols of a few dozen by a tenth of a step; analysis is a few percent of the work.
    const FullPrecisionScope full_precision;
    return analysis_->forward(features) * of_samples(log_gain_);
  }();
  const torch::Tensor inverse_gain = of_samples(log_inverse_gain_);
  if (family_ == UnitFamily::kDatta2022) {
    const torch::Tensor norm = latent.abs().sum() / samples;
    return {synthesis_->forward(RoundStraightThrough(latent) * inverse_gain), {{first_level, 1, norm}}};
  }
  const torch::Tensor noisy = latent + (torch::rand_like(latent) - 0.5);
  const torch::Tensor symbols = RoundStraightThrough(latent);
  Output output{synthesis_->forward((rounded ? symbols : noisy) * inverse_gain), {}};
  for (int64_t group = 0; group < groups; ++group) {
    const auto in_group = [&](const torch::Tensor& all) { return all.slice(0, group, samples, groups); };
    const int64_t level = level_of(group);
    const double share = static_cast<double>(in_group(latent).size(0)) / static_cast<double>(samples);
    output.rates.push_back({level, share, prior_->Bits(in_group(noisy), in_group(symbols), level)});
  }
  return output;
}

void BottleneckUnitImpl::Initialize(const torch::Tensor& features, const std::vector<double>& lambdas) {
  if (family_ == UnitFamily::kDatta2022) return;
  torch::NoGradGuard no_grad;
  const torch::Tensor latent = analysis_->forward(features);
  const torch::Tensor by_channel =
      (tokens_ ? latent.permute({2, 0, 1}) : latent.transpose(0, 1)).reshape({channels_, -1});
  const torch::Tensor std = by_channel.std(1).clamp_min(1e-4);
  for (int64_t level = 0; level < levels(); ++level) {
    const double symbol_std = kInitialSymbolStd * std::pow(lambdas.back() / lambdas[level], kGainExponent);
    log_gain_[level].copy_(torch::log(symbol_std / std));
    // Synthesis sees latents of unit variance at the start, whatever the level.
    log_inverse_gain_[level].fill_(-std::log(symbol_std));
    prior_->Initialize(level, torch::full_like(std, symbol_std));
  }
}

void BottleneckUnitImpl::KeepChannels(const torch::Tensor& channels) {
  torch::NoGradGuard no_grad;
  analysis_->KeepOutputs(channels);
  synthesis_->KeepInputs(channels);
  if (prior_) prior_->KeepChannels(channels);
  for (auto* gains : {&log_gain_, &log_inverse_gain_}) {
    for (torch::Tensor& gain : *gains) gain.set_data(gain.index_select(0, channels));
  }
  channels_ = channels.size(0);
}

std::vector<torch::Tensor> BottleneckUnitImpl::TransformParameters() const {
  std::vector<torch::Tensor> parameters = analysis_->parameters();
  for (const torch::Tensor& parameter : synthesis_->parameters()) parameters.push_back(parameter);
  return parameters;
}

std::vector<torch::Tensor> BottleneckUnitImpl::ScaleParameters() const {
  if (family_ == UnitFamily::kDatta2022) return {};
  std::vector<torch::Tensor> parameters = prior_->parameters();
  parameters.insert(parameters.end(), log_gain_.begin(), log_gain_.end());
  parameters.insert(parameters.end(), log_inverse_gain_.begin(), log_inverse_gain_.end());
  return parameters;
}

}  // namespace strait
