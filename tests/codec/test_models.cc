#include "tests/codec/test_models.h"

#include <cstdlib>
#include <limits>

namespace strait::testing {
namespace {

// A two-sided geometric table of [-reach, reach]; its frequencies are integers by construction.
CdfTable GeometricTable(int reach, bool has_escape, int precision) {
  CdfTable table{-reach, has_escape, {}};
  uint32_t sum = 0;
  for (int value = -reach; value <= reach; ++value) {
    table.freq.push_back(1u << (reach - std::abs(value)));
    sum += table.freq.back();
  }
  if (has_escape) {
    table.freq.push_back(1);
    sum += 1;
  }
  table.freq[reach] += (1u << precision) - sum;
  return table;
}

std::vector<float> Gains(size_t channels, float base) {
  std::vector<float> gains(channels);
  for (size_t c = 0; c < channels; ++c) gains[c] = base * (1.0f + static_cast<float>(c) / 4);
  return gains;
}

void AddLevels(ModelSpec& spec, int levels) {
  const auto channels = static_cast<size_t>(spec.latent_channels());
  for (int level = 0; level < levels; ++level) {
    const float base = static_cast<float>(2 << (2 * level));
    spec.levels.push_back(
        {16.0 / base, 20.0 + level, level == 0 ? std::numeric_limits<double>::quiet_NaN() : 90.5});
    spec.gain.push_back(Gains(channels, base));
    std::vector<float> inverse;
    for (const float gain : spec.gain.back()) inverse.push_back(1 / gain);
    spec.inverse_gain.push_back(inverse);
  }
  for (int set = 0; set <= (levels - 1) * spec.sets_per_level; ++set) {
    for (size_t c = 0; c < channels; ++c) {
      spec.tables.push_back(GeometricTable(2 + set, /*has_escape=*/c != 1, spec.precision));
    }
  }
}

ModelSpec WithContext(ModelSpec spec) {
  constexpr size_t kTables = 7;
  const size_t rows = spec.tables.size();
  const auto channels = static_cast<size_t>(spec.latent_channels());
  spec.tables = {{0, false, {1u << spec.precision}}};
  for (int reach = 1; reach < static_cast<int>(kTables); ++reach)
    spec.tables.push_back(GeometricTable(reach, /*has_escape=*/true, spec.precision));
  for (size_t row = 0; row < rows; ++row) {
    const bool is_certain = row / channels % 2 == 1 && row % channels == 1;
    for (size_t cell = 0; cell < kContextCells; ++cell) {
      const size_t table = 1 + (row + cell / kContextSide + 2 * (cell % kContextSide)) % (kTables - 1);
      spec.context.tables.push_back(static_cast<uint8_t>(is_certain ? 0 : table));
    }
  }
  return spec;
}

}  // namespace

std::vector<float> IntegerValues(size_t count, uint32_t seed) {
  std::vector<float> values(count);
  uint32_t state = seed * 2654435761u + 12345;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<int>(state >> 25) - 64) / 64.0f;
  }
  return values;
}

Tensor IntegerTensor(const Shape& shape, uint32_t seed) {
  return {shape, IntegerValues(static_cast<size_t>(NumElements(shape)), seed)};
}

Op Simple(OpKind kind, std::vector<int> src) {
  Op op;
  op.kind = kind;
  op.src = std::move(src);
  if (kind == OpKind::kLeakyRelu) op.slope = 0.25f;
  return op;
}

Op Conv(const Shape& weight, bool bias, int stride, int padding, int groups, uint32_t seed) {
  Op op = Simple(OpKind::kConv2d);
  op.weight = {weight, IntegerValues(static_cast<size_t>(NumElements(weight)), seed)};
  if (bias) op.bias = {{weight[0]}, IntegerValues(static_cast<size_t>(weight[0]), seed + 1000)};
  op.stride[0] = op.stride[1] = stride;
  op.padding[0] = op.padding[1] = padding;
  op.groups = groups;
  return op;
}

Op ConvTranspose(const Shape& weight, bool bias, int stride, int padding, int output_padding, int groups,
                 uint32_t seed) {
  Op op = Conv(weight, false, stride, padding, groups, seed);
  op.kind = OpKind::kConvTranspose2d;
  const int64_t channels = weight[1] * groups;
  if (bias) op.bias = {{channels}, IntegerValues(static_cast<size_t>(channels), seed + 1000)};
  op.output_padding[0] = op.output_padding[1] = output_padding;
  return op;
}

Op Linear(const Shape& weight, bool bias, uint32_t seed) {
  Op op = Conv({weight[0], weight[1]}, bias, 1, 0, 1, seed);
  op.kind = OpKind::kLinear;
  return op;
}

ModelSpec ConvSpec() {
  ModelSpec spec;
  spec.feature_shape = {4, 6, 6};
  spec.latent_shape = {3, 3, 3};
  spec.analysis = {Conv({4, 1, 3, 3}, true, 2, 1, 4, 1), Simple(OpKind::kRelu),
                   Conv({3, 4, 1, 1}, true, 1, 0, 1, 2)};
  spec.synthesis = {Conv({4, 3, 1, 1}, true, 1, 0, 1, 3), Simple(OpKind::kLeakyRelu),
                    ConvTranspose({4, 1, 3, 3}, true, 2, 1, 1, 4, 4), Simple(OpKind::kRelu)};
  spec.sets_per_level = 2;
  spec.provenance_json = R"({"unit":"golden","seed":1})";
  AddLevels(spec, 3);
  return spec;
}

ModelSpec TokenSpec() {
  ModelSpec spec;
  spec.feature_shape = {5, 6};
  spec.latent_shape = {5, 3};
  spec.analysis = {Linear({3, 6}, true, 5)};
  spec.synthesis = {Linear({6, 3}, true, 6), Simple(OpKind::kRelu)};
  AddLevels(spec, 1);
  return spec;
}

ModelSpec ContextConvSpec() { return WithContext(ConvSpec()); }
ModelSpec ContextTokenSpec() { return WithContext(TokenSpec()); }

std::vector<uint8_t> FrameOf(const FrameHeader& header, std::span<const uint8_t> payload) {
  std::vector<uint8_t> frame(kMaxFrameHeaderBytes);
  frame.resize(WriteFrameHeader(header, frame.data()));
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

std::shared_ptr<const Model> ModelOf(const ModelSpec& spec) {
  const Result<std::vector<uint8_t>> bytes = SerializeModel(spec);
  if (!bytes.ok()) return nullptr;
  Result<std::shared_ptr<const Model>> model = Model::FromBytes(*bytes);
  return model.ok() ? *model : nullptr;
}

}  // namespace strait::testing
