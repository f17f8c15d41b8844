// The sizes a unit codes: docs/format.md, padding.
#pragma once

#include <cstdint>

#include "codec/model_impl.h"
#include "strait/limits.h"
#include "strait/result.h"
#include "strait/tensor.h"

namespace strait {

// What becomes of one sample of a feature tensor.
struct SampleGeometry {
  Shape padded;  // as analysis reads and synthesis restores it
  Shape latent;
};

// Of a sample of `feature_shape`, which is batch first. Errors: kInvalidArgument (rank or channels are not the
// model's), kUnsupported (a size that no padding makes restorable), kLimitExceeded.
Result<SampleGeometry> GeometryOf(const ModelImpl& model, const Shape& feature_shape, const Limits& limits);

// kLimitExceeded unless a batch of samples stays within the limits.
Status CheckBatch(const SampleGeometry& geometry, int64_t batch, const Limits& limits);

}  // namespace strait
