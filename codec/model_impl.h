// What is behind a Model, and the shapes it can code.
#pragma once

#include <cstdint>
#include <string>

#include "codec/model_spec.h"
#include "entropy/cdf_table.h"

namespace strait {

struct ModelImpl {
  ModelSpec spec;  // its tables have moved into `tables`
  CdfTableSet tables;
  uint64_t id = 0;
  std::string manifest;
  int64_t analysis_macs = 0;
  int64_t synthesis_macs = 0;
};

// "9f3a17c05d20e4b8".
std::string ModelIdText(uint64_t id);

// Latent shape of a feature shape, both batch first, when the unit restores exactly that feature shape.
// Errors: kInvalidArgument (rank or channels are not the model's), kUnsupported (a size the unit cannot restore),
// kLimitExceeded.
Result<Shape> LatentShapeOf(const ModelImpl& model, const Shape& feature_shape, const Limits& limits);

}  // namespace strait
