#include "bench/reference_units.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace strait {
namespace {

constexpr ReferenceSplit kSplits[] = {{64, 16, 24}, {128, 28, 32}, {256, 56, 64}, {512, 28, 64}};
constexpr int kLevels = 5;

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  // Uniform in [-scale, scale).
  std::vector<float> Values(int64_t count, float scale) {
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      values.push_back((static_cast<float>(state_ >> 40) * 0x1p-23f - 1.0f) * scale);
    }
    return values;
  }

 private:
  uint64_t state_;
};

Op Weighted(OpKind kind, const Shape& weight, int64_t dst_channels, int stride, int groups, float scale,
            Random& random) {
  Op op;
  op.kind = kind;
  op.weight = {weight, random.Values(NumElements(weight), scale)};
  op.bias = {{dst_channels}, random.Values(dst_channels, 0.1f)};
  op.stride[0] = op.stride[1] = stride;
  const int padding = static_cast<int>(weight[2] / 2);
  op.padding[0] = op.padding[1] = padding;
  op.groups = groups;
  if (kind == OpKind::kConvTranspose2d) op.output_padding[0] = op.output_padding[1] = stride - 1;
  return op;
}

// Two-sided geometric over [-8, 8] with an escape.
CdfTable Table(int precision) {
  CdfTable table{-8, true, {}};
  uint32_t sum = 0;
  for (int value = -8; value <= 8; ++value) {
    table.freq.push_back(1u << (8 - std::abs(value)));
    sum += table.freq.back();
  }
  table.freq.push_back((1u << precision) / 64);
  sum += table.freq.back();
  table.freq[8] += (1u << precision) - sum;
  return table;
}

}  // namespace

std::span<const ReferenceSplit> ReferenceSplits() { return kSplits; }

ModelSpec ReferenceUnit(const ReferenceSplit& split) {
  Random random(1);
  const int64_t c = split.channels, r = split.latent_channels;
  const int depthwise = static_cast<int>(c);
  const float pointwise_scale = 4.0f / static_cast<float>(c);
  Op relu;
  relu.kind = OpKind::kRelu;
  ModelSpec spec;
  spec.feature_shape = {c, split.size, split.size};
  spec.latent_shape = {r, split.size / 2, split.size / 2};
  spec.analysis = {Weighted(OpKind::kConv2d, {c, 1, 3, 3}, c, 2, depthwise, 0.5f, random), relu,
                   Weighted(OpKind::kConv2d, {r, c, 1, 1}, r, 1, 1, pointwise_scale, random), relu};
  spec.synthesis = {Weighted(OpKind::kConv2d, {c, r, 1, 1}, c, 1, 1, pointwise_scale, random), relu,
                    Weighted(OpKind::kConvTranspose2d, {c, 1, 3, 3}, c, 2, depthwise, 0.5f, random), relu};
  for (int level = 0; level < kLevels; ++level) {
    const float gain = std::exp2(static_cast<float>(level - kLevels + 3));  // 4 at the top
    spec.levels.push_back({1.0 / gain, NAN, NAN});
    spec.gain.push_back(std::vector<float>(r, gain));
    spec.inverse_gain.push_back(std::vector<float>(r, 1 / gain));
  }
  spec.tables.assign(static_cast<size_t>(kLevels * r), Table(spec.precision));
  return spec;
}

Tensor ReferenceFeatures(const ReferenceSplit& split) {
  Tensor features{{1, split.channels, split.size, split.size}, {}};
  features.data = Random(2).Values(NumElements(features.shape), 1.0f);
  for (float& value : features.data) value = std::max(value, 0.0f);
  return features;
}

}  // namespace strait
