// What a run leaves behind: model files checked against the runtime, and their measured rate-distortion points.
#pragma once

#include <torch/script.h>

#include <string>
#include <vector>

#include "training/backbone.h"
#include "training/evaluate.h"
#include "training/exporter.h"
#include "training/unit_bank.h"

namespace strait {

// Where a model comes from; goes into its manifest.
struct Provenance {
  Recipe recipe;
  std::string backbone_hash;
  SplitInfo split;
};

// `count` samples spread evenly over the set; all when count is 0 or larger.
EvalSet TakeEvenly(const EvalSet& set, int64_t count);

// One point a level through real frames of the units as they stand, nothing written. Tables only at whole levels.
Result<std::vector<RdPoint>> MeasureUnits(const UnitBank& bank, const torch::Tensor& calibration,
                                          const Provenance& provenance, const torch::jit::Module& tail,
                                          const EvalSet& set);

// Exports every unit, checks it against the runtime, measures every level over `set` and writes model.strait (one
// unit) or model-<level>.strait (a unit a lambda) and rd.csv into out_dir. Files are replaced only when all checks
// have passed.
Result<std::vector<RdPoint>> WriteModels(const UnitBank& bank, const torch::Tensor& calibration,
                                         const Provenance& provenance, const torch::jit::Module& tail,
                                         const EvalSet& set, const std::string& out_dir);

}  // namespace strait
