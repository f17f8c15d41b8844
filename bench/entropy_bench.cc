// Speed and size of entropy coding on symbol sets that look like latents. Counters: bytes (of the result),
// bound_bytes (the ideal under the tables, what no coder of these tables can pass), items_per_second (symbols).
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/benchmarks.h"
#include "entropy/rans.h"
#include "entropy/zstd_block.h"

namespace strait {
namespace {

constexpr int kPrecision = 12;
constexpr double kEscapeMass = 1e-4;

// Symbols of one case and the tables that fit them; shared by its benchmarks, never changed after MakeSet.
struct SymbolSet {
  CdfTableSet tables;
  SymbolLayout layout;
  std::vector<int16_t> symbols;
  std::vector<uint8_t> as_bytes;  // what zstd gets: one byte a symbol
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

CdfTable MakeTable(std::vector<double> mass, int32_t min_symbol) {
  mass.push_back(kEscapeMass);
  return {min_symbol, true, QuantizeFrequencies(mass, kPrecision).value()};
}

CdfTable LaplacianTable(double scale) {
  const int reach = static_cast<int>(std::ceil(8 * scale));
  return MakeTable(LaplacianMass(scale, reach), -reach);
}

// Many channels of scales spread evenly in the logarithm: 64 of them carry 1.5 bits a symbol on average.
std::vector<CdfTable> MixTables(size_t channels) {
  std::vector<CdfTable> tables;
  for (size_t c = 0; c < channels; ++c) {
    const double position = (static_cast<double>(c) + 0.5) / static_cast<double>(channels);
    tables.push_back(LaplacianTable(0.1 * std::pow(20.0, position)));
  }
  return tables;
}

// 85 % zeros, the rest geometric: a latent after ReLU.
CdfTable ReluTable() {
  std::vector<double> mass = {0.85};
  for (double p = 0.15 * 0.4; mass.size() < 24; p *= 0.6) mass.push_back(p);
  return MakeTable(std::move(mass), 0);
}

std::shared_ptr<const SymbolSet> MakeSet(const std::string& name, size_t count) {
  auto set = std::make_shared<SymbolSet>();
  std::vector<CdfTable> tables;
  if (name == "mix") {
    tables = MixTables(count <= 1024 ? 16 : 64);
  } else if (name == "relu") {
    tables = {ReluTable()};
  } else {
    tables = {LaplacianTable(LaplacianScale(std::stod(name.substr(3))))};  // "lap2.5"
  }
  set->layout = {0, tables.size(), count / tables.size()};
  set->tables = CdfTableSet::Create(std::move(tables), kPrecision).value();

  std::mt19937 random(1);
  set->symbols.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t t = set->layout.TableOf(i);
    const CdfTable& table = set->tables.table(t);
    const auto entry = static_cast<int32_t>(set->tables.EntryOf(t, random() >> (32 - kPrecision)));
    set->symbols[i] = static_cast<int16_t>(table.min_symbol + entry);  // an escape is one past the largest value
  }
  for (const int16_t symbol : set->symbols) set->as_bytes.push_back(static_cast<uint8_t>(symbol));
  return set;
}

void Report(benchmark::State& state, const SymbolSet& set, size_t bytes) {
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(set.symbols.size()));
  state.counters["bytes"] = static_cast<double>(bytes);
  state.counters["bound_bytes"] = std::ceil(RansCostBits(set.symbols, set.layout, set.tables) / 8);
}

void BenchRansEncode(benchmark::State& state, const std::shared_ptr<const SymbolSet>& set) {
  std::vector<uint8_t> payload;
  for (auto _ : state) {
    payload.clear();
    if (!RansEncode(set->symbols, set->layout, set->tables, payload).ok())
      return state.SkipWithError("encode failed");
    benchmark::DoNotOptimize(payload.data());
  }
  Report(state, *set, payload.size());
}

void BenchRansDecode(benchmark::State& state, const std::shared_ptr<const SymbolSet>& set) {
  std::vector<uint8_t> payload;
  if (!RansEncode(set->symbols, set->layout, set->tables, payload).ok())
    return state.SkipWithError("encode failed");
  std::vector<int16_t> decoded(set->symbols.size());
  for (auto _ : state) {
    if (!RansDecode(payload, set->layout, set->tables, decoded).ok()) return state.SkipWithError("decode failed");
    benchmark::DoNotOptimize(decoded.data());
  }
  if (decoded != set->symbols) return state.SkipWithError("decoded symbols differ");
  Report(state, *set, payload.size());
}

void BenchZstdEncode(benchmark::State& state, const std::shared_ptr<const SymbolSet>& set, int level) {
  size_t bytes = 0;
  for (auto _ : state) {
    const auto packed = ZstdCompress(set->as_bytes, level);
    if (!packed.ok()) return state.SkipWithError("compress failed");
    bytes = packed.value().size();
  }
  Report(state, *set, bytes);
}

void BenchZstdDecode(benchmark::State& state, const std::shared_ptr<const SymbolSet>& set, int level) {
  const auto packed = ZstdCompress(set->as_bytes, level);
  if (!packed.ok()) return state.SkipWithError("compress failed");
  for (auto _ : state) {
    const auto restored = ZstdDecompress(packed.value(), set->as_bytes.size());
    if (!restored.ok()) return state.SkipWithError("decompress failed");
    benchmark::DoNotOptimize(restored.value().data());
  }
  Report(state, *set, packed.value().size());
}

}  // namespace

void RegisterEntropyBenchmarks() {
  for (const char* const name : {"mix", "lap1", "lap2.5", "lap4.5", "relu"}) {
    for (const size_t count : {size_t{1024}, size_t{65536}, size_t{1048576}}) {
      // Made by the first case that runs, so that a filtered run does not wait for the others.
      const auto lazy = std::make_shared<std::shared_ptr<const SymbolSet>>();
      const auto set = [lazy, name, count] {
        if (!*lazy) *lazy = MakeSet(name, count);
        return *lazy;
      };
      const std::string suffix = std::string(name) + "/" + std::to_string(count);
      const auto add = [&suffix](const std::string& prefix, auto run) {
        benchmark::RegisterBenchmark((prefix + suffix).c_str(), run);
      };
      add("Rans/Encode/", [set](benchmark::State& state) { BenchRansEncode(state, set()); });
      add("Rans/Decode/", [set](benchmark::State& state) { BenchRansDecode(state, set()); });
      for (const int level : {1, 3}) {
        const std::string peer = "Zstd" + std::to_string(level);
        add(peer + "/Encode/", [set, level](benchmark::State& state) { BenchZstdEncode(state, set(), level); });
        add(peer + "/Decode/", [set, level](benchmark::State& state) { BenchZstdDecode(state, set(), level); });
      }
    }
  }
}

}  // namespace strait
