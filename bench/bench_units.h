// The units that micro-benchmarks run on: the reference units, and one of the user's own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codec/entropy_model.h"
#include "codec/model_spec.h"
#include "strait/decoder.h"
#include "strait/result.h"

namespace strait {

struct BenchUnit {
  std::string name;
  ModelSpec spec;
  Tensor features;  // {1, C, H, W} or {1, T, C}
};
using BenchUnits = std::vector<std::shared_ptr<const BenchUnit>>;

// The reference units; behind them the unit of the model file that the environment variable STRAIT_BENCH_MODEL
// names, called after its file. Its features are what synthesis makes of symbols drawn from its own tables at the
// middle level. Errors: those of reading the file.
Result<BenchUnits> MakeBenchUnits();

// Symbols as probable as the model says, of a latent {N, ...}: what random bytes decode to. kCorrupt when they
// decode to a symbol that does not exist, which is rare: try another seed.
Result<std::vector<int16_t>> DrawSymbols(const EntropyModel& model, const Shape& latent_shape, int quality_code,
                                         uint32_t seed);

}  // namespace strait
