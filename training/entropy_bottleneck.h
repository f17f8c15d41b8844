// Learned prior: for each channel of a level a mixture of logistic distributions over the latent after gain. With
// neighbours, what was decoded before shifts the means and widens the scales. In training it gives a differentiable
// rate; at export its probabilities of the integers smooth the tables.
// Model: Balle et al. 2018 (factorised density, rate as -log2 of the mass in a unit interval), with the mixture of
// logistics of Salimans et al. 2017 in place of the cumulative network; means and scales from decoded neighbours as
// in Minnen et al. 2018, by two numbers a channel instead of a network.
#pragma once

#include <torch/torch.h>

#include <vector>

namespace strait {

// What the decoder knows when it comes to a symbol: the neighbours decoded before it in the same channel, as
// docs/format.md weighs them. Tensors of the shape of the symbols.
struct NeighbourSums {
  torch::Tensor sum;
  torch::Tensor magnitude;  // the same sum of absolute values, of symbols and weights
};
NeighbourSums SumNeighbours(const torch::Tensor& symbols);

class EntropyBottleneckImpl : public torch::nn::Module {
 public:
  static constexpr int64_t kComponents = 3;

  EntropyBottleneckImpl(int64_t levels, int64_t channels, bool neighbours);

  // Sets the scales of a level from the standard deviation of its latents after gain, [C].
  void Initialize(int64_t level, const torch::Tensor& std);

  // Mean bits of a sample (a scalar) of latents after gain, noisy or rounded, [N, C, H, W] or [N, T, C], given the
  // symbols that the decoder would know, of the same shape.
  torch::Tensor Bits(const torch::Tensor& latent, const torch::Tensor& symbols, int64_t level) const;

  // Probability of the integers first .. first + count - 1 at a level in neighbourhoods of these sums, [M] each,
  // which are ignored without neighbours: [C, M, count], float64, on the CPU.
  torch::Tensor Pmf(int64_t level, int64_t first, int64_t count, const NeighbourSums& around) const;

  void KeepChannels(const torch::Tensor& channels);

  bool neighbours() const { return neighbours_; }

 private:
  // Broadcasts to [C, K, M] for neighbourhoods of [C, 1, M].
  struct Mixture {
    torch::Tensor share, mean, inverse_scale;
  };
  Mixture MixtureAt(int64_t level, const NeighbourSums& around) const;

  bool neighbours_;
  // One tensor a level, so that a step leaves the other levels and their Adam moments alone. [C, K] each.
  std::vector<torch::Tensor> weight_, mean_, log_scale_;
  // What a neighbourhood does, [C] each: means move by shift * sum, scales grow by 1 + softplus(spread) *
  // magnitude.
  std::vector<torch::Tensor> shift_, spread_;
};
TORCH_MODULE(EntropyBottleneck);

}  // namespace strait
