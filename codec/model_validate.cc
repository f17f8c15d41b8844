#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "codec/model_format.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr int64_t kMaxPhases = 16384;  // docs/format.md, op list

Status CheckTransform(const char* name, const Transform& transform, const Shape& src, const Shape& want,
                      const Limits& limits) {
  // Each phase of a transposed convolution has weights and buffers of its own, however few they are.
  int64_t phases = 0;
  for (const Op& op : transform) {
    if (op.kind == OpKind::kConvTranspose2d) phases += int64_t{op.stride[0]} * op.stride[1];
  }
  if (phases > kMaxPhases) {
    return Error(StatusCode::kLimitExceeded, "model ", name, ": the strides of its conv_transpose2d ops make ",
                 phases, " phases, at most ", kMaxPhases);
  }
  const Result<Shape> got = InferShape(transform, WithBatch(1, src), limits);
  if (!got.ok()) return Error(got.status().code(), "model ", name, ": ", got.status().message());
  if (WithoutBatch(*got) == want) return Status();
  return Error(StatusCode::kCorrupt, "model ", name, ": makes 1x", ToString(want), " by the manifest, ",
               ToString(*got), " by its ops");
}

Status CheckLevels(const std::vector<LevelInfo>& levels) {
  if (levels.empty() || levels.size() > kMaxLevels) {
    return Error(StatusCode::kCorrupt, "model levels: ", levels.size(), " not in 1..", kMaxLevels);
  }
  const auto measured = [](double value, double max) { return std::isnan(value) || (value >= 0 && value <= max); };
  for (size_t i = 0; i < levels.size(); ++i) {
    const LevelInfo& level = levels[i];
    if (!std::isfinite(level.lambda) || level.lambda < 0)
      return Error(StatusCode::kCorrupt, "model level ", i, ": lambda ", level.lambda);
    if (!measured(level.bytes_per_sample, 1e15))
      return Error(StatusCode::kCorrupt, "model level ", i, ": bytes_per_sample ", level.bytes_per_sample);
    if (!measured(level.top1, 100))
      return Error(StatusCode::kCorrupt, "model level ", i, ": top1 ", level.top1, " not in 0..100");
  }
  return Status();
}

Status CheckGains(const char* name, const std::vector<std::vector<float>>& gains, const ModelSpec& spec) {
  if (gains.size() != spec.levels.size()) {
    return Error(StatusCode::kCorrupt, "model ", name, ": wants ", spec.levels.size(), " levels, has ",
                 gains.size());
  }
  for (const std::vector<float>& level : gains) {
    if (static_cast<int64_t>(level.size()) != spec.latent_channels()) {
      return Error(StatusCode::kCorrupt, "model ", name, ": wants ", spec.latent_channels(), " channels, has ",
                   level.size());
    }
    if (!std::ranges::all_of(level, [](float v) { return std::isfinite(v) && v > 0; })) {
      return Error(StatusCode::kCorrupt, "model ", name, ": holds a value that is not positive and finite");
    }
  }
  return Status();
}

// `rows`: one for each channel of each set.
Status CheckContext(const ModelSpec& spec, size_t rows) {
  const std::vector<uint8_t>& tables = spec.context.tables;
  if (tables.size() != rows * kContextCells) {
    return Error(StatusCode::kCorrupt, "model context: wants ", rows * kContextCells, " tables of cells, has ",
                 tables.size());
  }
  for (const int weight : spec.context.weights) {
    if (std::abs(weight) > kMaxContextWeight)
      return Error(StatusCode::kCorrupt, "model context: weight ", weight, " is not in -", kMaxContextWeight, "..",
                   kMaxContextWeight);
  }
  for (size_t i = 0; i < tables.size(); ++i) {
    const uint8_t first = tables[i / kContextCells * kContextCells];
    if (tables[i] >= spec.tables.size()) {
      return Error(StatusCode::kCorrupt, "model context: cell ", i, " has table ", int{tables[i]}, ", the last is ",
                   spec.tables.size() - 1);
    }
    const bool is_certain = spec.tables[first].freq.size() == 1;
    if (is_certain ? tables[i] != first : !spec.tables[tables[i]].has_escape) {
      return Error(StatusCode::kCorrupt, "model context: cell ", i, " has table ", int{tables[i]},
                   is_certain ? ", its channel's first is certain" : ", which has no escape");
    }
  }
  return Status();
}

Status CheckTables(const ModelSpec& spec) {
  if (spec.sets_per_level < 1 || spec.sets_per_level > kMaxSetsPerLevel) {
    return Error(StatusCode::kCorrupt, "model sets_per_level: ", spec.sets_per_level, " not in 1..",
                 kMaxSetsPerLevel);
  }
  if (spec.precision < kMinPrecision || spec.precision > kMaxPrecision) {
    return Error(StatusCode::kCorrupt, "model precision: ", spec.precision, " not in ", kMinPrecision, "..",
                 kMaxPrecision);
  }
  const size_t want =
      NumTableSets(spec.levels.size(), spec.sets_per_level) * static_cast<size_t>(spec.latent_channels());
  const bool has_context = !spec.context.tables.empty();
  if (has_context && spec.tables.size() > kMaxContextTables) {
    return Error(StatusCode::kCorrupt, "model tables: at most ", kMaxContextTables, " with context, have ",
                 spec.tables.size());
  }
  if (!has_context && spec.tables.size() != want) {
    return Error(StatusCode::kCorrupt, "model tables: want ", want, " (sets x channels), have ",
                 spec.tables.size());
  }
  for (size_t i = 0; i < spec.tables.size(); ++i) {
    const Status status = ValidateTable(spec.tables[i], spec.precision);
    if (!status.ok()) return Error(StatusCode::kCorrupt, "model table ", i, ": ", status.message());
  }
  return has_context ? CheckContext(spec, want) : Status();
}

}  // namespace

Status ValidateSpec(const ModelSpec& spec, const Limits& limits) {
  const size_t rank = spec.feature_shape.size();
  if ((rank != 2 && rank != 3) || spec.latent_shape.size() != rank) {
    return Error(StatusCode::kCorrupt, "model shapes: feature ", ToString(spec.feature_shape), " and latent ",
                 ToString(spec.latent_shape), " must both be CxHxW or both TxC");
  }
  STRAIT_RETURN_IF_ERROR(CheckTransform("analysis", spec.analysis, spec.feature_shape, spec.latent_shape, limits));
  STRAIT_RETURN_IF_ERROR(
      CheckTransform("synthesis", spec.synthesis, spec.latent_shape, spec.feature_shape, limits));
  STRAIT_RETURN_IF_ERROR(CheckLevels(spec.levels));
  STRAIT_RETURN_IF_ERROR(CheckGains("gain", spec.gain, spec));
  STRAIT_RETURN_IF_ERROR(CheckGains("inverse_gain", spec.inverse_gain, spec));
  return CheckTables(spec);
}

}  // namespace strait
