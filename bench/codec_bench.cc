// Encoder and Decoder on units shaped like the reference of the field (depthwise 3x3 stride 2, pointwise; mirrored)
// at the usual splits. Weights and features are random, tables geometric: times are meant, rates are not.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "bench/benchmarks.h"
#include "codec/model_spec.h"
#include "strait/strait.hpp"

namespace strait {
namespace {

struct Split {
  int64_t channels, size, latent_channels;
};

constexpr Split kSplits[] = {{64, 16, 24}, {128, 28, 32}, {256, 56, 64}, {512, 28, 64}};

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

ModelSpec UnitFor(const Split& split) {
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
  spec.levels = {{1.0, 0, 0}};
  spec.gain = {std::vector<float>(r, 4.0f)};
  spec.inverse_gain = {std::vector<float>(r, 0.25f)};
  spec.tables.assign(r, Table(spec.precision));
  return spec;
}

struct Setup {
  std::shared_ptr<const Model> model;
  Tensor features;
  std::vector<uint8_t> frame;
};

Result<Setup> SetUp(const Split& split) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, SerializeModel(UnitFor(split)));
  Setup setup;
  STRAIT_ASSIGN_OR_RETURN(setup.model, Model::FromBytes(bytes));
  setup.features.shape = {1, split.channels, split.size, split.size};
  setup.features.data = Random(2).Values(NumElements(setup.features.shape), 1.0f);
  for (float& value : setup.features.data) value = value > 0 ? value : 0;  // features behind a ReLU
  Encoder encoder(setup.model);
  STRAIT_RETURN_IF_ERROR(encoder.Encode({setup.features.data.data(), setup.features.shape}, {}, setup.frame));
  return setup;
}

void SetCounters(benchmark::State& state, const Setup& setup) {
  state.counters["bytes"] = static_cast<double>(setup.frame.size());
}

void BenchEncode(benchmark::State& state, const Split& split) {
  const Result<Setup> setup = SetUp(split);
  if (!setup.ok()) return state.SkipWithError(setup.status().message().c_str());
  Encoder encoder(setup->model);
  const TensorView src{setup->features.data.data(), setup->features.shape};
  std::vector<uint8_t> frame;
  for (auto _ : state) {
    const Status status = encoder.Encode(src, {}, frame);
    if (!status.ok()) return state.SkipWithError(status.message().c_str());
    benchmark::DoNotOptimize(frame.data());
  }
  SetCounters(state, *setup);
}

void BenchDecode(benchmark::State& state, const Split& split) {
  const Result<Setup> setup = SetUp(split);
  if (!setup.ok()) return state.SkipWithError(setup.status().message().c_str());
  Decoder decoder(setup->model);
  Tensor restored;
  for (auto _ : state) {
    const Status status = decoder.Decode(setup->frame, restored);
    if (!status.ok()) return state.SkipWithError(status.message().c_str());
    benchmark::DoNotOptimize(restored.data.data());
  }
  SetCounters(state, *setup);
}

}  // namespace

void RegisterCodecBenchmarks() {
  for (const Split& split : kSplits) {
    const std::string shape = ToString({split.channels, split.size, split.size});
    benchmark::RegisterBenchmark(("Codec/Encode/" + shape).c_str(), BenchEncode, split)
        ->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark(("Codec/Decode/" + shape).c_str(), BenchDecode, split)
        ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace strait
