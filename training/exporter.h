// From a trained unit to a model file, checked against the runtime before anything is written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codec/model_spec.h"
#include "strait/model.h"
#include "training/bottleneck_unit.h"

namespace strait {

struct ExportOptions {
  int precision = 12;      // bits of the CDF tables
  int sets_per_level = 4;  // table sets between two levels
  std::string provenance_json = "{}";
};

// Drops the unit's channels whose symbols are 0 at every level throughout `calibration` (features of training
// samples, float32, CPU), fits the tables of every quality to the symbols of the others, smoothed by the learned
// prior and chosen by neighbours where the prior has neighbours, and fills a ModelSpec. The unit must be in eval
// mode on the CPU. Errors: kInternal when the tables cost noticeably more on the calibration symbols than their own
// entropy.
Result<ModelSpec> BuildModelSpec(BottleneckUnit& unit, const std::vector<LevelInfo>& levels,
                                 const torch::Tensor& calibration, const ExportOptions& options);

// The runtime must reproduce the trainer on `features` at every level: equal symbols except where latent times gain
// lies within 1e-3 of a rounding boundary, restored tensors equal to 1e-4 of the largest magnitude given the same
// symbols. kInternal naming the first difference.
Status CheckAgainstRuntime(BottleneckUnit& unit, const std::shared_ptr<const Model>& model,
                           const torch::Tensor& features);

}  // namespace strait
