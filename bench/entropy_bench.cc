// Speed and size of entropy coding on symbol sets that look like latents. Counters: bytes (of the result),
// bound_bytes (the ideal under the model the tables were made from, before its probabilities became integers),
// items_per_second (symbols). Peers work in buffers and contexts they keep, as their users would.
#include <benchmark/benchmark.h>
#include <zstd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/benchmarks.h"
#include "entropy/rans.h"

namespace strait {
namespace {

// Of the tables of a set. The long tail of relu, where an entry cannot have less than 2^-precision, takes 14 bits.
int PrecisionOf(const std::string& set) { return set == "relu" ? 14 : 12; }
constexpr double kEscapeMass = 1e-4;

// Symbols of one case and the tables that fit them; shared by its benchmarks, never changed after MakeSet.
struct SymbolSet {
  std::shared_ptr<const CdfTableSet> tables;
  SymbolLayout layout;
  std::vector<int16_t> symbols;
  std::vector<uint16_t> index;    // the table of each symbol, for decoding in steps
  std::vector<uint8_t> as_bytes;  // what zstd gets: one byte a symbol
  double bound_bytes = 0;
};

// The probabilities of the symbols from min_symbol on, the escape last.
struct ChannelModel {
  int32_t min_symbol;
  std::vector<double> mass;
};

// Mass of the integers [-reach, reach] under a Laplacian of `scale`, as uniform rounding sees it.
std::vector<double> LaplacianMass(double scale, int reach) {
  std::vector<double> mass;
  for (int k = -reach; k <= reach; ++k) {
    const double a = std::abs(k);
    mass.push_back(k == 0 ? 1 - std::exp(-0.5 / scale)
                          : 0.5 * (std::exp(-(a - 0.5) / scale) - std::exp(-(a + 0.5) / scale)));
  }
  return mass;
}

double EntropyBits(const std::vector<double>& mass) {
  double bits = 0;
  for (const double p : mass) bits -= p > 0 ? p * std::log2(p) : 0;
  return bits;
}

// Scale at which a rounded Laplacian carries `bits` per symbol.
double LaplacianScale(double bits) {
  double low = 0.05, high = 50;
  for (int i = 0; i < 50; ++i) {
    const double middle = std::sqrt(low * high);
    (EntropyBits(LaplacianMass(middle, 1000)) < bits ? low : high) = middle;
  }
  return low;
}

ChannelModel MakeModel(std::vector<double> mass, int32_t min_symbol) {
  mass.push_back(kEscapeMass);
  double sum = 0;
  for (const double p : mass) sum += p;
  for (double& p : mass) p /= sum;
  return {min_symbol, std::move(mass)};
}

ChannelModel LaplacianModel(double scale) {
  const int reach = static_cast<int>(std::ceil(8 * scale));
  return MakeModel(LaplacianMass(scale, reach), -reach);
}

// Many channels of scales spread evenly in the logarithm: 64 of them carry 1.5 bits a symbol on average.
std::vector<ChannelModel> MixModels(size_t channels) {
  std::vector<ChannelModel> models;
  for (size_t c = 0; c < channels; ++c) {
    const double position = (static_cast<double>(c) + 0.5) / static_cast<double>(channels);
    models.push_back(LaplacianModel(0.1 * std::pow(20.0, position)));
  }
  return models;
}

// 85 % zeros, the rest geometric: a latent after ReLU.
ChannelModel ReluModel() {
  std::vector<double> mass = {0.85};
  for (double p = 0.15 * 0.4; mass.size() < 24; p *= 0.6) mass.push_back(p);
  return MakeModel(std::move(mass), 0);
}

std::vector<ChannelModel> MakeModels(const std::string& name, size_t count) {
  if (name == "mix") return MixModels(count <= 1024 ? 16 : 64);
  if (name == "relu") return {ReluModel()};
  return {LaplacianModel(LaplacianScale(std::stod(name.substr(3))))};  // "lap2.5"
}

std::shared_ptr<const SymbolSet> MakeSet(const std::string& name, size_t count) {
  auto set = std::make_shared<SymbolSet>();
  const std::vector<ChannelModel> models = MakeModels(name, count);
  const int precision = PrecisionOf(name);
  std::vector<CdfTable> tables;
  for (const ChannelModel& model : models) {
    tables.push_back({model.min_symbol, true, QuantizeFrequencies(model.mass, precision).value()});
  }
  set->layout = {0, models.size(), count / models.size()};
  set->tables = std::make_shared<const CdfTableSet>(CdfTableSet::Create(std::move(tables), precision).value());

  // Drawn from the models, not from the tables. An escape is one past the largest value, which takes two bits more.
  std::mt19937 random(1);
  double bits = 0;
  while (set->symbols.size() < count) {
    const size_t t = set->layout.TableOf(set->symbols.size());
    const std::vector<double>& mass = models[t].mass;
    std::discrete_distribution<size_t> draw(mass.begin(), mass.end());
    for (size_t i = 0; i < set->layout.inner; ++i) {
      const size_t entry = draw(random);
      bits -= std::log2(mass[entry]);
      if (entry + 1 == mass.size()) bits += 2;
      set->symbols.push_back(static_cast<int16_t>(models[t].min_symbol + static_cast<int32_t>(entry)));
      set->index.push_back(static_cast<uint16_t>(t));
      set->as_bytes.push_back(static_cast<uint8_t>(set->symbols.back()));
    }
  }
  set->bound_bytes = bits / 8;
  return set;
}

void Report(benchmark::State& state, const SymbolSet& set, size_t bytes) {
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(set.symbols.size()));
  state.counters["bytes"] = static_cast<double>(bytes);
  state.counters["bound_bytes"] = set.bound_bytes;
}

// The payload, empty when it cannot be made.
std::vector<uint8_t> Encoded(const SymbolSet& set, const RansOptions& options) {
  std::vector<uint8_t> payload;
  if (!RansEncode<int16_t>(set.symbols, set.layout, *set.tables, payload, options).ok()) payload.clear();
  return payload;
}

void BenchRansEncode(benchmark::State& state, const SymbolSet& set, const RansOptions& options) {
  std::vector<uint8_t> payload;
  for (auto _ : state) {
    payload.clear();
    if (!RansEncode<int16_t>(set.symbols, set.layout, *set.tables, payload, options).ok()) {
      return state.SkipWithError("encode failed");
    }
    benchmark::DoNotOptimize(payload.data());
  }
  Report(state, set, payload.size());
}

void BenchRansDecode(benchmark::State& state, const SymbolSet& set, const RansOptions& options) {
  const std::vector<uint8_t> payload = Encoded(set, options);
  std::vector<int16_t> decoded(set.symbols.size());
  for (auto _ : state) {
    if (!RansDecode<int16_t>(payload, set.layout, *set.tables, decoded, options.simd).ok()) {
      return state.SkipWithError("decode failed");
    }
    benchmark::DoNotOptimize(decoded.data());
  }
  if (decoded != set.symbols) return state.SkipWithError("decoded symbols differ");
  Report(state, set, payload.size());
}

// Steps of `step` symbols, each a call that is given their tables.
void BenchRansDecodeSteps(benchmark::State& state, const SymbolSet& set, size_t step) {
  std::vector<uint8_t> payload;
  const TableIndices all{set.index, 0};
  if (!RansEncode<int16_t>(set.symbols, all, *set.tables, payload).ok())
    return state.SkipWithError("encode failed");
  const size_t count = set.symbols.size();
  std::vector<int16_t> decoded(count);
  RansDecoder decoder;
  for (auto _ : state) {
    bool ok = decoder.Start(payload, count, *set.tables).ok();
    for (size_t i = 0; ok && i < count; i += step) {
      const size_t n = std::min(step, count - i);
      const TableIndices indices{std::span(set.index).subspan(i, n), 0};
      ok = decoder.Next(indices, std::span(decoded).subspan(i, n)).ok();
    }
    if (!ok || !decoder.Finish().ok()) return state.SkipWithError("decode failed");
    benchmark::DoNotOptimize(decoded.data());
  }
  if (decoded != set.symbols) return state.SkipWithError("decoded symbols differ");
  Report(state, set, payload.size());
}

// The same symbols ordered position by position, so that neighbours have different tables.
SymbolSet Interleaved(const SymbolSet& set) {
  SymbolSet interleaved = set;
  const size_t channels = set.layout.channels, inner = set.layout.inner;
  for (size_t i = 0; i < set.symbols.size(); ++i) {
    const size_t from = i % channels * inner + i / channels;
    interleaved.symbols[i] = set.symbols[from];
    interleaved.index[i] = set.index[from];
  }
  return interleaved;
}

struct ZstdContexts {
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> encoder{ZSTD_createCCtx(), ZSTD_freeCCtx};
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> decoder{ZSTD_createDCtx(), ZSTD_freeDCtx};
};

void BenchZstd(benchmark::State& state, const SymbolSet& set, int level, bool decode) {
  const ZstdContexts zstd;
  const std::vector<uint8_t>& src = set.as_bytes;
  std::vector<uint8_t> packed(ZSTD_compressBound(src.size())), restored(src.size());
  size_t bytes = ZSTD_compressCCtx(zstd.encoder.get(), packed.data(), packed.size(), src.data(), src.size(), level);
  for (auto _ : state) {
    if (decode) {
      ZSTD_decompressDCtx(zstd.decoder.get(), restored.data(), restored.size(), packed.data(), bytes);
      benchmark::DoNotOptimize(restored.data());
    } else {
      bytes = ZSTD_compressCCtx(zstd.encoder.get(), packed.data(), packed.size(), src.data(), src.size(), level);
      benchmark::DoNotOptimize(packed.data());
    }
  }
  if (ZSTD_isError(bytes) || (decode && restored != src)) return state.SkipWithError("zstd failed");
  Report(state, set, bytes);
}

RansOptions With(Simd simd, size_t max_lanes = RansOptions().max_lanes) {
  RansOptions options;
  options.simd = simd;
  options.max_lanes = max_lanes;
  return options;
}

}  // namespace

void RegisterEntropyBenchmarks() {
  for (const char* const name : {"mix", "lap1", "lap2.5", "lap4.5", "relu"}) {
    for (const size_t count : {size_t{1024}, size_t{16384}, size_t{65536}, size_t{1048576}}) {
      // Made by the first case that runs, so that a filtered run does not wait for the others.
      const auto lazy = std::make_shared<std::shared_ptr<const SymbolSet>>();
      const auto set = [lazy, name, count]() -> const SymbolSet& {
        if (!*lazy) *lazy = MakeSet(name, count);
        return **lazy;
      };
      const std::string suffix = std::string(name) + "/" + std::to_string(count);
      const auto add = [&suffix](const std::string& prefix, auto run) {
        benchmark::RegisterBenchmark((prefix + suffix).c_str(), run);
      };
      const auto add_rans = [&](const std::string& prefix, const RansOptions& options) {
        add(prefix + "/Encode/", [=](benchmark::State& state) { BenchRansEncode(state, set(), options); });
        add(prefix + "/Decode/", [=](benchmark::State& state) { BenchRansDecode(state, set(), options); });
      };
      add_rans("Rans", RansOptions());
      for (const Simd simd : AvailableSimd()) {
        add_rans(std::string("Rans[") + SimdName(simd) + "]", With(simd));  // the scalar reference among them
      }
      for (const size_t lanes : {1, 4, 32, 128}) {
        add_rans("Rans[lanes" + std::to_string(lanes) + "]", With(DefaultSimd(), lanes));
      }
      for (const int level : {1, 3}) {
        const std::string peer = "Zstd" + std::to_string(level);
        add(peer + "/Encode/", [=](benchmark::State& state) { BenchZstd(state, set(), level, false); });
        add(peer + "/Decode/", [=](benchmark::State& state) { BenchZstd(state, set(), level, true); });
      }
      add("Rans/DecodeSteps/", [=](benchmark::State& state) { BenchRansDecodeSteps(state, set(), 48); });
      add("Rans/DecodeSteps[interleaved]/",
          [=](benchmark::State& state) { BenchRansDecodeSteps(state, Interleaved(set()), 48); });
      for (const size_t step : {8, 512}) {
        add("Rans/DecodeSteps[" + std::to_string(step) + "]/",
            [=](benchmark::State& state) { BenchRansDecodeSteps(state, set(), step); });
      }
    }
  }
}

}  // namespace strait
