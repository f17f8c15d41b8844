// What is behind a Model.
#pragma once

#include <cstdint>
#include <string>

#include "codec/entropy_model.h"
#include "codec/model_spec.h"
#include "codec/transform.h"

namespace strait {

struct ModelImpl {
  ModelSpec spec;  // its tables have moved into `entropy`
  EntropyModel entropy;
  TransformPlan analysis, synthesis;
  uint64_t id = 0;
  std::string manifest;
  int64_t analysis_macs = 0;
  int64_t synthesis_macs = 0;
};

// "9f3a17c05d20e4b8".
std::string ModelIdText(uint64_t id);

}  // namespace strait
