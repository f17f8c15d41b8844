// strait-bench: micro-benchmarks of the runtime, with every flag of Google Benchmark.
#include <benchmark/benchmark.h>

#include "bench/benchmarks.h"

int main(int argc, char** argv) {
  strait::RegisterEntropyBenchmarks();
  strait::RegisterCodecBenchmarks();
#ifdef STRAIT_WITH_TRAINING
  strait::RegisterTrainBenchmarks();
#endif
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
