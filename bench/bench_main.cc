// strait-bench: micro-benchmarks of the runtime, with every flag of Google Benchmark.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "bench/benchmarks.h"
#include "entropy/simd.h"

int main(int argc, char** argv) {
  // A measurement of another instruction set than the one asked for would mislead.
  const char* const wanted = std::getenv("STRAIT_SIMD");
  if (wanted != nullptr && std::string_view(wanted) != strait::SimdName(strait::DefaultSimd())) {
    std::cerr << "strait-bench: STRAIT_SIMD=" << wanted << " is not one of:";
    for (const strait::Simd simd : strait::AvailableSimd()) std::cerr << ' ' << strait::SimdName(simd);
    std::cerr << '\n';
    return 2;
  }
  strait::RegisterEntropyBenchmarks();
  const strait::Result<strait::BenchUnits> units = strait::MakeBenchUnits();
  if (!units.ok()) {
    std::cerr << "strait-bench: STRAIT_BENCH_MODEL: " << units.status().message() << '\n';
    return 1;
  }
  strait::RegisterCodecBenchmarks(*units);
  strait::RegisterControllerBenchmarks();
#ifdef STRAIT_WITH_TRAINING
  strait::RegisterPeerBenchmarks(*units);
  strait::RegisterContextBenchmarks(*units);
  strait::RegisterTrainBenchmarks();
#endif
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("simd", strait::SimdName(strait::DefaultSimd()));  // STRAIT_SIMD chooses
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
