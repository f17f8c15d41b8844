#include "training/entropy_bottleneck.h"

#include <cmath>
#include <string>

namespace strait {
namespace {

// [N, C, ...] or [N, T, C] to [C, 1, M].
torch::Tensor ChannelFirst(const torch::Tensor& latent) {
  const torch::Tensor moved = latent.dim() == 3 ? latent.permute({2, 0, 1}) : latent.transpose(0, 1);
  return moved.reshape({moved.size(0), 1, -1});
}

}  // namespace

EntropyBottleneckImpl::EntropyBottleneckImpl(int64_t levels, int64_t channels) {
  for (int64_t level = 0; level < levels; ++level) {
    const std::string suffix = std::to_string(level);
    weight_.push_back(register_parameter("weight" + suffix, torch::zeros({channels, kComponents})));
    mean_.push_back(register_parameter("mean" + suffix, torch::zeros({channels, kComponents})));
    log_scale_.push_back(register_parameter("log_scale" + suffix, torch::zeros({channels, kComponents})));
  }
}

void EntropyBottleneckImpl::Initialize(int64_t level, const torch::Tensor& std) {
  torch::NoGradGuard no_grad;
  // A logistic of scale s has standard deviation s * pi / sqrt(3); a narrow, a fitting and a wide component.
  const torch::Tensor spread = torch::tensor({0.3, 1.0, 2.5}).to(std) * (std::sqrt(3.0) / M_PI);
  log_scale_[level].copy_(torch::log(std.clamp_min(0.05).unsqueeze(1) * spread));
}

torch::Tensor EntropyBottleneckImpl::Logits(int64_t level, const torch::Tensor& x) const {
  return (x - mean_[level].unsqueeze(2)) * torch::exp(-log_scale_[level].clamp(-5, 8)).unsqueeze(2);
}

torch::Tensor EntropyBottleneckImpl::Bits(const torch::Tensor& latent, int64_t level) const {
  const torch::Tensor x = ChannelFirst(latent.to(torch::kFloat));
  // The difference of two sigmoids is taken on the side where both are small: exact in the tails.
  const torch::Tensor sign = 1 - 2 * (x.detach() > mean_[level].detach().unsqueeze(2)).to(torch::kFloat);
  const torch::Tensor mass =
      torch::abs(torch::sigmoid(sign * Logits(level, x + 0.5)) - torch::sigmoid(sign * Logits(level, x - 0.5)));
  const torch::Tensor share = torch::softmax(weight_[level], 1).unsqueeze(2);
  const torch::Tensor likelihood = (mass * share).sum(1).clamp_min(1e-9);
  return -torch::log2(likelihood).sum() / latent.size(0);
}

torch::Tensor EntropyBottleneckImpl::Pmf(int64_t level, int64_t first, int64_t count) const {
  torch::NoGradGuard no_grad;
  const torch::Tensor edges =
      torch::arange(first, first + count + 1, mean_[level].options()).view({1, 1, -1}) - 0.5;
  const torch::Tensor share = torch::softmax(weight_[level], 1).unsqueeze(2);
  const torch::Tensor cdf = (torch::sigmoid(Logits(level, edges)) * share).sum(1).to(torch::kDouble);
  return (cdf.slice(1, 1) - cdf.slice(1, 0, count)).clamp_min(0).to(torch::kCPU);
}

}  // namespace strait
