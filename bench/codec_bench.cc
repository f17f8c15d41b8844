// Encoder and Decoder, one thread, batch 1.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/bench_units.h"
#include "bench/benchmarks.h"
#include "strait/strait.hpp"

namespace strait {
namespace {

struct Setup {
  std::shared_ptr<const Model> model;
  Tensor features;
  std::vector<uint8_t> frame;  // at the top level
};

using Unit = std::shared_ptr<const BenchUnit>;

Result<Setup> SetUp(const Unit& unit) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, SerializeModel(unit->spec));
  Setup setup;
  STRAIT_ASSIGN_OR_RETURN(setup.model, Model::FromBytes(bytes));
  setup.features = unit->features;
  STRAIT_RETURN_IF_ERROR(Encoder(setup.model).Encode(setup.features.view(), {}, setup.frame));
  return setup;
}

// With `budgeted`, max_bytes is half-way between the frames of the lowest and the highest level: the search has to
// look.
void BenchEncode(benchmark::State& state, const Unit& unit, bool budgeted) {
  const Result<Setup> setup = SetUp(unit);
  if (!setup.ok()) return state.SkipWithError(setup.status().message().c_str());
  Encoder encoder(setup->model);
  const TensorView src = setup->features.view();
  std::vector<uint8_t> frame(encoder.EncodeBound(src.shape).value());
  EncodeOptions options;
  if (budgeted) {
    options.quality = 0;
    const size_t lowest = encoder.EncodeInto(src, options, frame).value();
    options = {.max_bytes = (lowest + setup->frame.size()) / 2};
  }
  size_t bytes = 0;
  for (auto _ : state) {
    const Result<size_t> size = encoder.EncodeInto(src, options, frame);
    if (!size.ok()) return state.SkipWithError(size.status().message().c_str());
    bytes = *size;
    benchmark::DoNotOptimize(frame.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}

void BenchDecode(benchmark::State& state, const Unit& unit) {
  const Result<Setup> setup = SetUp(unit);
  if (!setup.ok()) return state.SkipWithError(setup.status().message().c_str());
  Decoder decoder(setup->model);
  Tensor restored;
  for (auto _ : state) {
    const Status status = decoder.Decode(setup->frame, restored);
    if (!status.ok()) return state.SkipWithError(status.message().c_str());
    benchmark::DoNotOptimize(restored.data.data());
  }
  state.counters["bytes"] = static_cast<double>(setup->frame.size());
}

// An Encoder on each thread, one Model behind all.
void BenchEncodeShared(benchmark::State& state, const Unit& unit) {
  static const Result<Setup> setup = SetUp(unit);
  if (!setup.ok()) return state.SkipWithError(setup.status().message().c_str());
  Encoder encoder(setup->model);
  std::vector<uint8_t> frame;
  for (auto _ : state) {
    if (!encoder.Encode(setup->features.view(), {}, frame).ok()) return state.SkipWithError("encode failed");
    benchmark::DoNotOptimize(frame.data());
  }
  state.SetItemsProcessed(state.iterations());
}

// Reading, checking and packing a model file in memory.
void BenchLoad(benchmark::State& state, const Unit& unit) {
  const Result<std::vector<uint8_t>> bytes = SerializeModel(unit->spec);
  if (!bytes.ok()) return state.SkipWithError(bytes.status().message().c_str());
  for (auto _ : state) benchmark::DoNotOptimize(Model::FromBytes(*bytes));
  state.counters["bytes"] = static_cast<double>(bytes->size());
}

}  // namespace

void RegisterCodecBenchmarks(const BenchUnits& units) {
  for (const Unit& unit : units) {
    const auto add = [&](const char* kind, auto run, auto... args) {
      benchmark::RegisterBenchmark((kind + unit->name).c_str(), run, unit, args...)->Unit(benchmark::kMicrosecond);
    };
    add("Codec/Encode/", BenchEncode, false);
    add("Codec/EncodeMaxBytes/", BenchEncode, true);
    add("Codec/Decode/", BenchDecode);
    add("Model/Load/", BenchLoad);
  }
  const Unit& shared = units[1];
  benchmark::RegisterBenchmark(("Codec/EncodeShared/" + shared->name).c_str(), BenchEncodeShared, shared)
      ->Unit(benchmark::kMicrosecond)
      ->ThreadRange(1, 8)
      ->UseRealTime();
}

}  // namespace strait
