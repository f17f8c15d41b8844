// Context models against a table a channel, on the same symbols: fields whose neighbours are alike, of scales
// spread over the channels as those of trained units are.
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/benchmarks.h"
#include "codec/entropy_model.h"
#include "codec/quantizer.h"
#include "training/context_fit.h"
#include "training/table_fit.h"

namespace strait {
namespace {

constexpr int kPrecision = 12;

struct Field {
  Shape shape;
  std::vector<int16_t> symbols;
  EntropyModel context, channels;
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

Result<Field> MakeField(int64_t channels, int64_t side) {
  Field field;
  field.shape = {1, channels, side, side};
  field.symbols = DrawField(field.shape, 1);
  const Shape seen_shape = {1, channels, (1 << 16) / side, side};
  const std::vector<int16_t> seen = DrawField(seen_shape, 2);
  const size_t per_channel = seen.size() / static_cast<size_t>(channels);

  ModelSpec plain;
  plain.latent_shape = {channels, side, side};
  plain.levels.resize(1);
  plain.precision = kPrecision;
  ModelSpec chosen = plain;
  const std::vector<uint8_t> cells = ContextCells(seen, seen_shape, chosen.context.weights);
  const int32_t reach = *std::ranges::max_element(seen);
  ContextFit fit(reach);
  const torch::Tensor flat = torch::full({kContextCells, 2 * reach + 1}, 1.0 / (2 * reach + 1), torch::kDouble);
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    const std::vector<float> values(seen.begin() + static_cast<ptrdiff_t>(c * per_channel),
                                    seen.begin() + static_cast<ptrdiff_t>((c + 1) * per_channel));
    STRAIT_ASSIGN_OR_RETURN(CdfTable table, FitTable(CountSymbols(values, 1), {}, 0, kPrecision));
    plain.tables.push_back(std::move(table));
    const std::vector<int64_t> channel_cells(cells.begin() + static_cast<ptrdiff_t>(c * per_channel),
                                             cells.begin() + static_cast<ptrdiff_t>((c + 1) * per_channel));
    fit.AddChannel(torch::tensor(values).to(torch::kLong), torch::tensor(channel_cells), flat);
  }
  STRAIT_ASSIGN_OR_RETURN(ContextFit::Tables fitted, fit.Fit(kPrecision));
  chosen.tables = std::move(fitted.tables);
  chosen.context.tables = std::move(fitted.cell_tables);
  STRAIT_ASSIGN_OR_RETURN(field.context, EntropyModel::Create(chosen));
  STRAIT_ASSIGN_OR_RETURN(field.channels, EntropyModel::Create(plain));
  return field;
}

void BenchField(benchmark::State& state, int64_t channels, int64_t side, bool with_context, bool decodes) {
  const Result<Field> field = MakeField(channels, side);
  if (!field.ok()) return state.SkipWithError(field.status().message().c_str());
  const EntropyModel& model = with_context ? field->context : field->channels;
  SymbolBuffers buffers;
  const auto encode = [&] { return model.Encode(field->symbols, field->shape, 0, buffers); };
  if (!encode().ok()) return state.SkipWithError("encode failed");
  std::vector<uint8_t> payload(buffers.encoder.payload_bytes());
  buffers.encoder.WritePayload(payload.data());
  std::vector<int16_t> decoded(field->symbols.size());
  for (auto _ : state) {
    const Status status = decodes ? model.Decode(payload, field->shape, 0, buffers, decoded) : encode();
    if (!status.ok()) return state.SkipWithError("coding failed");
    benchmark::DoNotOptimize(decoded.data());
  }
  if (decodes && decoded != field->symbols) return state.SkipWithError("decoded symbols differ");
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(decoded.size()));
  state.counters["bytes"] = static_cast<double>(payload.size());
}

}  // namespace

void RegisterContextBenchmarks() {
  for (const auto& [channels, side] : {std::pair(12, 8), std::pair(48, 8), std::pair(64, 16), std::pair(64, 32)}) {
    for (const bool decodes : {false, true}) {
      for (const bool with_context : {false, true}) {
        const std::string name = std::string("EntropyModel/") + (decodes ? "Decode/" : "Encode/") +
                                 (with_context ? "context/" : "channels/") + std::to_string(channels) + "x" +
                                 std::to_string(side) + "x" + std::to_string(side);
        benchmark::RegisterBenchmark(name.c_str(), BenchField, channels, side, with_context, decodes);
      }
    }
  }
}

}  // namespace strait
