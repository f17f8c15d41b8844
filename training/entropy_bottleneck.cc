#include "training/entropy_bottleneck.h"

#include <cmath>
#include <cstdlib>
#include <string>

#include "codec/model_spec.h"

namespace strait {
namespace {

// [N, C, ...] or [N, T, C] to [C, 1, M].
torch::Tensor ChannelFirst(const torch::Tensor& latent) {
  const torch::Tensor moved = latent.dim() == 3 ? latent.permute({2, 0, 1}) : latent.transpose(0, 1);
  return moved.reshape({moved.size(0), 1, -1});
}

// Neighbours reach across at most one row and one column.
torch::Tensor PadWithZeros(const torch::Tensor& symbols) {
  namespace F = torch::nn::functional;
  return symbols.dim() == 3 ? F::pad(symbols, F::PadFuncOptions({0, 0, 1, 0}))
                            : F::pad(symbols, F::PadFuncOptions({1, 1, 1, 0}));
}

torch::Tensor SumOfNeighbours(const torch::Tensor& symbols, const ContextWeights& weights) {
  const torch::Tensor padded = PadWithZeros(symbols);
  if (symbols.dim() == 3) return weights[kLeft] * padded.slice(1, 0, symbols.size(1));
  const int64_t height = symbols.size(2), width = symbols.size(3);
  const auto at = [&](int64_t y, int64_t x) { return padded.slice(2, y, y + height).slice(3, x, x + width); };
  return weights[kLeft] * at(1, 0) + weights[kUp] * at(0, 1) + weights[kUpLeft] * at(0, 0) +
         weights[kUpRight] * at(0, 2);
}

}  // namespace

NeighbourSums SumNeighbours(const torch::Tensor& symbols) {
  ContextWeights magnitudes = kContextWeights;
  for (int& weight : magnitudes) weight = std::abs(weight);
  return {SumOfNeighbours(symbols, kContextWeights), SumOfNeighbours(symbols.abs(), magnitudes)};
}

EntropyBottleneckImpl::EntropyBottleneckImpl(int64_t levels, int64_t channels, bool neighbours)
    : neighbours_(neighbours) {
  for (int64_t level = 0; level < levels; ++level) {
    const std::string suffix = std::to_string(level);
    weight_.push_back(register_parameter("weight" + suffix, torch::zeros({channels, kComponents})));
    mean_.push_back(register_parameter("mean" + suffix, torch::zeros({channels, kComponents})));
    log_scale_.push_back(register_parameter("log_scale" + suffix, torch::zeros({channels, kComponents})));
    if (!neighbours_) continue;
    shift_.push_back(register_parameter("shift" + suffix, torch::zeros({channels})));
    spread_.push_back(register_parameter("spread" + suffix, torch::full({channels}, -3.0)));
  }
}

void EntropyBottleneckImpl::Initialize(int64_t level, const torch::Tensor& std) {
  torch::NoGradGuard no_grad;
  // A logistic of scale s has standard deviation s * pi / sqrt(3); a narrow, a fitting and a wide component.
  const torch::Tensor spread = torch::tensor({0.3, 1.0, 2.5}).to(std) * (std::sqrt(3.0) / M_PI);
  log_scale_[level].copy_(torch::log(std.clamp_min(0.05).unsqueeze(1) * spread));
}

void EntropyBottleneckImpl::KeepChannels(const torch::Tensor& channels) {
  torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : parameters()) parameter.set_data(parameter.index_select(0, channels));
}

EntropyBottleneckImpl::Mixture EntropyBottleneckImpl::MixtureAt(int64_t level, const NeighbourSums& around) const {
  Mixture mixture{torch::softmax(weight_[level], 1).unsqueeze(2), mean_[level].unsqueeze(2),
                  torch::exp(-log_scale_[level].clamp(-5, 8)).unsqueeze(2)};
  if (!neighbours_) return mixture;
  mixture.mean = mixture.mean + shift_[level].view({-1, 1, 1}) * around.sum;
  mixture.inverse_scale =
      mixture.inverse_scale / (1 + torch::softplus(spread_[level]).view({-1, 1, 1}) * around.magnitude);
  return mixture;
}

torch::Tensor EntropyBottleneckImpl::Bits(const torch::Tensor& latent, const torch::Tensor& symbols,
                                          int64_t level) const {
  const torch::Tensor x = ChannelFirst(latent.to(torch::kFloat));
  NeighbourSums around;
  if (neighbours_) {
    around = SumNeighbours(symbols.to(torch::kFloat));
    around = {ChannelFirst(around.sum), ChannelFirst(around.magnitude)};
  }
  const auto [share, mean, inverse_scale] = MixtureAt(level, around);
  // The difference of two sigmoids is taken on the side where both are small: exact in the tails.
  const torch::Tensor distance = x - mean;
  const torch::Tensor sign = 1 - 2 * (distance.detach() > 0).to(torch::kFloat);
  const torch::Tensor mass = torch::abs(torch::sigmoid(sign * (distance + 0.5) * inverse_scale) -
                                        torch::sigmoid(sign * (distance - 0.5) * inverse_scale));
  const torch::Tensor likelihood = (mass * share).sum(1).clamp_min(1e-9);
  return -torch::log2(likelihood).sum() / latent.size(0);
}

torch::Tensor EntropyBottleneckImpl::Pmf(int64_t level, int64_t first, int64_t count,
                                         const NeighbourSums& around) const {
  torch::NoGradGuard no_grad;
  const auto [share, mean, inverse_scale] =
      MixtureAt(level, {around.sum.view({1, 1, -1}), around.magnitude.view({1, 1, -1})});
  const torch::Tensor edges = torch::arange(first, first + count + 1, mean.options()) - 0.5;
  const torch::Tensor mass = torch::sigmoid((edges - mean.unsqueeze(3)) * inverse_scale.unsqueeze(3));
  const torch::Tensor cdf = (mass * share.unsqueeze(3)).sum(1).to(torch::kDouble);
  return (cdf.slice(2, 1) - cdf.slice(2, 0, count)).clamp_min(0).to(torch::kCPU);
}

}  // namespace strait
