// Everything a model file holds, in plain memory: what the exporter fills and the loader validates.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "entropy/cdf_table.h"
#include "entropy/context.h"
#include "strait/limits.h"
#include "strait/model.h"
#include "strait/result.h"
#include "strait/tensor.h"

namespace strait {

// Names are those of the manifest (docs/format.md, op list) and frozen.
enum class OpKind : uint8_t {
  kConv2d = 0,           // weight {out, in / groups, kh, kw}
  kConvTranspose2d = 1,  // weight {in, out / groups, kh, kw}, the layout of PyTorch
  kLinear = 2,           // weight {out, in}; over the last axis
  kRelu = 3,
  kLeakyRelu = 4,
  kPixelShuffle = 5,  // {N, C r r, H, W} to {N, C, H r, W r}, the channel order of PyTorch
  kAdd = 6,           // of two values of equal shape
};

struct Weights {
  Shape shape;
  std::vector<float> data;
};

// One operation. Value 0 is the transform's input, value k the result of ops[k - 1]; the last value is the output.
struct Op {
  OpKind kind = OpKind::kRelu;
  std::vector<int> src;  // values read, each smaller than this op's own; empty means the previous value
  Weights weight;        // conv2d, conv_transpose2d, linear
  Weights bias;          // {out}, or empty
  int stride[2] = {1, 1};
  int padding[2] = {0, 0};         // symmetric, rows and columns
  int output_padding[2] = {0, 0};  // conv_transpose2d
  int groups = 1;
  float slope = 0;  // leaky_relu
  int factor = 1;   // pixel_shuffle
};

using Transform = std::vector<Op>;

// What may choose the tables of symbols.
struct ContextSpec {
  ContextWeights weights = kContextWeights;
  // {sets, C, kContextCells}: the table of a symbol of a channel, by its cell; empty is no context. Either all
  // cells of a channel have one and the same table of a single entry, or all have tables with an escape.
  std::vector<uint8_t> tables;
};

struct ModelSpec {
  Shape feature_shape;  // one sample: {C, H, W} or {T, C}
  Shape latent_shape;   // must be what analysis makes of feature_shape
  Transform analysis;
  Transform synthesis;
  std::vector<LevelInfo> levels;
  // symbol = round_half_even(latent * gain[level][c]); restored = symbol * inverse_gain[level][c].
  // Both positive; between levels interpolated geometrically.
  std::vector<std::vector<float>> gain;
  std::vector<std::vector<float>> inverse_gain;
  // Tables of all channels at the qualities k / sets_per_level, k = 0 .. (levels - 1) * sets_per_level;
  // table of set k and channel c has index k * channels + c. A frame uses the set nearest to its quality.
  int sets_per_level = 1;
  int precision = 12;
  std::vector<CdfTable> tables;
  ContextSpec context;                 // with one the tables have no such order, and there are at most 256
  std::string provenance_json = "{}";  // object: recipe, seed, library versions, backbone hash, unit family

  int64_t latent_channels() const { return latent_shape.size() == 3 ? latent_shape[0] : latent_shape.back(); }
};

// Qualities travel as sixteenths of a level.
inline constexpr int kQualitySteps = 16;

// Shape of a transform's output for an input with batch, or why there is none. Checks every weight shape on
// the way, so that a validated transform can run without further checks.
Result<Shape> InferShape(const Transform& transform, const Shape& src, const Limits& limits);

// Multiply-adds for an input with batch, and parameters. Precondition: InferShape succeeded.
int64_t CountMacs(const Transform& transform, const Shape& src);
int64_t CountParams(const Transform& transform);

// Writer and reader of model files (safetensors, docs/format.md). SerializeModel validates first and refuses
// what ParseModel would refuse.
Result<std::vector<uint8_t>> SerializeModel(const ModelSpec& spec);
Result<ModelSpec> ParseModel(std::span<const uint8_t> bytes, const Limits& limits);

}  // namespace strait
