// Learned factorised prior: for each channel of a level a mixture of logistic distributions over the latent after
// gain. In training it gives a differentiable rate; at export its probabilities of the integers smooth the tables.
// Model: Balle et al. 2018 (factorised density, rate as -log2 of the mass in a unit interval), with the mixture of
// logistics of Salimans et al. 2017 in place of the cumulative network.
#pragma once

#include <torch/torch.h>

#include <vector>

namespace strait {

class EntropyBottleneckImpl : public torch::nn::Module {
 public:
  static constexpr int64_t kComponents = 3;

  EntropyBottleneckImpl(int64_t levels, int64_t channels);

  // Sets the scales of a level from the standard deviation of its latents after gain, [C].
  void Initialize(int64_t level, const torch::Tensor& std);

  // Mean bits of a sample (a scalar) of latents after gain, noisy or rounded: [N, C, H, W] or [N, T, C].
  torch::Tensor Bits(const torch::Tensor& latent, int64_t level) const;

  // Probability of the integers first .. first + count - 1 at a level: [C, count], float64, on the CPU.
  torch::Tensor Pmf(int64_t level, int64_t first, int64_t count) const;

 private:
  // (x - mean) / scale of every component: x is [C, 1, M], the result [C, K, M].
  torch::Tensor Logits(int64_t level, const torch::Tensor& x) const;

  // One tensor a level, so that a step leaves the other levels and their Adam moments alone. [C, K] each.
  std::vector<torch::Tensor> weight_, mean_, log_scale_;
};
TORCH_MODULE(EntropyBottleneck);

}  // namespace strait
