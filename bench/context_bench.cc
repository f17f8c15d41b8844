// Context models against a table a channel, on the same symbols: fields whose neighbours are alike, of scales
// spread over the channels, and what a trained unit might send.
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/bench_units.h"
#include "bench/benchmarks.h"
#include "codec/entropy_model.h"
#include "codec/quantizer.h"
#include "training/context_fit.h"
#include "training/table_fit.h"
#include "training/torch_shape.h"

namespace strait {
namespace {

constexpr int kPrecision = 12;

// Coded in turn: a processor learns the branches of one latent that it sees again and again.
constexpr int64_t kLatents = 64;

struct Field {
  Shape shape;                                // of one latent
  std::vector<std::vector<int16_t>> latents;  // symbols
  EntropyModel context, channels;
  int context_quality = 0;  // the peer has but one
};

std::vector<int16_t> DrawField(const Shape& shape, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  const int64_t height = shape[2], width = shape[3];
  std::vector<int16_t> symbols;
  for (int64_t c = 0; c < shape[1]; ++c) {
    const float scale = 0.3f * std::pow(8.0f, static_cast<float>(c) / static_cast<float>(shape[1]));
    std::vector<float> field(static_cast<size_t>(height * width));
    const auto at = [&](int64_t y, int64_t x) {
      return y < 0 || x < 0 || x >= width ? 0.0f : field[static_cast<size_t>(y * width + x)];
    };
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        field[static_cast<size_t>(y * width + x)] = 0.5f * at(y, x - 1) + 0.4f * at(y - 1, x) -
                                                    0.2f * at(y - 1, x - 1) + 0.1f * at(y - 1, x + 1) +
                                                    scale * normal(random);
      }
    }
    for (const float value : field) symbols.push_back(static_cast<int16_t>(std::lround(value)));
  }
  return symbols;
}

// A table a channel, fitted to latents {N, C, H, W}.
Result<EntropyModel> FitChannels(const std::vector<int16_t>& seen, const Shape& shape, int precision) {
  ModelSpec spec;
  spec.latent_shape = WithoutBatch(shape);
  spec.levels.resize(1);
  spec.precision = precision;
  const torch::Tensor by_channel =
      torch::tensor(seen).to(torch::kFloat).view(SizesOf(shape)).transpose(0, 1).flatten(1).contiguous();
  for (int64_t c = 0; c < shape[1]; ++c) {
    const float* const values = by_channel[c].data_ptr<float>();
    const SymbolCounts counts = CountSymbols({values, static_cast<size_t>(by_channel.size(1))}, 1);
    STRAIT_ASSIGN_OR_RETURN(CdfTable table, FitTable(counts, {}, 0, precision));
    spec.tables.push_back(std::move(table));
  }
  return EntropyModel::Create(spec);
}

Result<EntropyModel> FitContext(const std::vector<int16_t>& seen, const Shape& shape) {
  ModelSpec spec;
  spec.latent_shape = WithoutBatch(shape);
  spec.levels.resize(1);
  spec.precision = kPrecision;
  const auto by_channel = [&](const torch::Tensor& values) {
    return values.to(torch::kLong).view(SizesOf(shape)).transpose(0, 1).flatten(1);
  };
  const torch::Tensor symbols = by_channel(torch::tensor(seen));
  const torch::Tensor cells = by_channel(torch::tensor(ContextCells(seen, shape, spec.context.weights)));
  const int32_t reach = *std::ranges::max_element(seen);
  ContextFit fit(reach);
  const torch::Tensor flat = torch::full({kContextCells, 2 * reach + 1}, 1.0 / (2 * reach + 1), torch::kDouble);
  for (int64_t c = 0; c < shape[1]; ++c) fit.AddChannel(symbols[c], cells[c], flat);
  STRAIT_ASSIGN_OR_RETURN(ContextFit::Tables fitted, std::move(fit).Fit(kPrecision));
  spec.tables = std::move(fitted.tables);
  spec.context.tables = std::move(fitted.cell_tables);
  return EntropyModel::Create(spec);
}

// The samples of a batch.
std::vector<std::vector<int16_t>> Split(const std::vector<int16_t>& symbols, int64_t samples) {
  const auto size = static_cast<ptrdiff_t>(symbols.size()) / samples;
  std::vector<std::vector<int16_t>> latents;
  for (auto begin = symbols.begin(); begin != symbols.end(); begin += size)
    latents.emplace_back(begin, begin + size);
  return latents;
}

Result<Field> MakeField(int64_t channels, int64_t side) {
  Field field;
  field.shape = {1, channels, side, side};
  for (uint32_t seed = 0; seed < kLatents; ++seed) field.latents.push_back(DrawField(field.shape, seed));
  const Shape seen_shape = {1, channels, (1 << 16) / side, side};
  const std::vector<int16_t> seen = DrawField(seen_shape, kLatents);
  STRAIT_ASSIGN_OR_RETURN(field.context, FitContext(seen, seen_shape));
  STRAIT_ASSIGN_OR_RETURN(field.channels, FitChannels(seen, seen_shape, kPrecision));
  return field;
}

// Symbols that a trained unit might send at a level, under its own tables. Those of its peer are fitted to the same
// symbols and more, so that each can be coded.
Result<Field> MakeField(const BenchUnit& unit, int level) {
  Field field;
  ModelSpec spec = unit.spec;
  field.shape = WithBatch(1, spec.latent_shape);
  field.context_quality = level * kQualitySteps;
  STRAIT_ASSIGN_OR_RETURN(field.context, EntropyModel::Create(spec));
  constexpr int64_t kSeen = 5 * kLatents;
  const Shape seen_shape = WithBatch(kSeen, unit.spec.latent_shape);
  STRAIT_ASSIGN_OR_RETURN(const std::vector<int16_t> seen,
                          DrawSymbols(field.context, seen_shape, field.context_quality, 1));
  STRAIT_ASSIGN_OR_RETURN(field.channels, FitChannels(seen, seen_shape, unit.spec.precision));
  field.latents = Split(seen, kSeen);
  field.latents.resize(kLatents);
  return field;
}

void BenchField(benchmark::State& state, const std::function<Result<Field>()>& make, bool with_context,
                bool decodes) {
  const Result<Field> field = make();
  if (!field.ok()) return state.SkipWithError(field.status().message().c_str());
  const EntropyModel& model = with_context ? field->context : field->channels;
  const int quality = with_context ? field->context_quality : 0;
  SymbolBuffers buffers;
  std::vector<std::vector<uint8_t>> payloads;
  double bytes = 0;
  for (const std::vector<int16_t>& symbols : field->latents) {
    if (!model.Encode(symbols, field->shape, quality, buffers).ok()) return state.SkipWithError("encode failed");
    payloads.emplace_back(buffers.encoder.payload_bytes());
    buffers.encoder.WritePayload(payloads.back().data());
    bytes += static_cast<double>(payloads.back().size()) / static_cast<double>(field->latents.size());
  }
  std::vector<int16_t> decoded(field->latents.front().size());
  size_t at = 0;
  for (auto _ : state) {
    at = (at + 1) % payloads.size();
    const Status status = decodes ? model.Decode(payloads[at], field->shape, quality, buffers, decoded)
                                  : model.Encode(field->latents[at], field->shape, quality, buffers);
    if (!status.ok()) return state.SkipWithError("coding failed");
    benchmark::DoNotOptimize(decoded.data());
  }
  if (decodes && decoded != field->latents[at]) return state.SkipWithError("decoded symbols differ");
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(decoded.size()));
  state.counters["bytes"] = bytes;
}

}  // namespace

void RegisterContextBenchmarks(const BenchUnits& units) {
  const auto add = [](const std::string& name, const std::function<Result<Field>()>& make) {
    for (const bool decodes : {false, true}) {
      for (const bool with_context : {false, true}) {
        const std::string kind = std::string("EntropyModel/") + (decodes ? "Decode/" : "Encode/") +
                                 (with_context ? "context/" : "channels/");
        benchmark::RegisterBenchmark((kind + name).c_str(), BenchField, make, with_context, decodes);
      }
    }
  };
  for (const auto& [channels, side] : {std::pair(12, 8), std::pair(48, 8), std::pair(64, 16), std::pair(64, 32)}) {
    add(ToString({channels, side, side}), [c = channels, s = side] { return MakeField(c, s); });
  }
  for (const auto& unit : units) {
    if (unit->spec.context.tables.empty() || unit->spec.latent_shape.size() != 3) continue;
    for (size_t level = 0; level < unit->spec.levels.size(); ++level) {
      add(unit->name + "/" + std::to_string(level),
          [unit, level] { return MakeField(*unit, static_cast<int>(level)); });
    }
  }
}

}  // namespace strait
