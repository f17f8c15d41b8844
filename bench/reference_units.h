// Units shaped like the reference of the field (Datta et al. 2022: depthwise 3x3 stride 2, pointwise; mirrored) at
// the usual splits, and features for them. Weights and features are random, tables geometric: times are meant,
// rates are not.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "codec/model_spec.h"
#include "strait/decoder.h"

namespace strait {

struct ReferenceSplit {
  int64_t channels, size, latent_channels;
  std::string name() const { return ToString({channels, size, size}); }
};

std::span<const ReferenceSplit> ReferenceSplits();

// Five levels, each with twice the gain of the one before; per-channel tables.
ModelSpec ReferenceUnit(const ReferenceSplit& split);

// {1, C, H, W}, of the range of features behind a ReLU.
Tensor ReferenceFeatures(const ReferenceSplit& split);

}  // namespace strait
