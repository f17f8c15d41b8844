// A trained bottleneck unit as the runtime sees it: both transforms, gains, CDF tables and manifest.
// Immutable after loading; share one Model between any number of Encoders and Decoders and threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "strait/limits.h"
#include "strait/result.h"
#include "strait/tensor.h"

namespace strait {

struct ModelImpl;  // codec/model_impl.h

// One trained rate point. The figures are those measured at export over validation data; NaN when
// the model was written without a measurement.
struct LevelInfo {
  double lambda = 0;            // rate-distortion weight the level was trained with
  double bytes_per_sample = 0;  // mean size of a real frame, header included, no checksum
  double top1 = 0;  // percent, through the runtime codec; mean IoU for networks that answer for every pixel
};

class Model {
 public:
  // Reads and validates a model file (docs/format.md). Errors: kIo, kTruncated, kCorrupt,
  // kUnsupported, kLimitExceeded; the message names the file.
  static Result<std::shared_ptr<const Model>> Load(const std::string& path, const Limits& limits = {});

  // The same from memory; `bytes` is not needed after the call.
  static Result<std::shared_ptr<const Model>> FromBytes(std::span<const uint8_t> bytes, const Limits& limits = {});

  explicit Model(std::unique_ptr<const ModelImpl> impl);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // XXH3-64 of the file's bytes; seeds the checksum of frames.
  uint64_t id() const;
  // Of one sample, without the batch: {C, H, W} or {T, C}.
  const Shape& feature_shape() const;
  const Shape& latent_shape() const;
  // Levels from the fewest bytes (quality 0) to the most (quality levels().size() - 1).
  const std::vector<LevelInfo>& levels() const;
  // The manifest as JSON text, provenance included.
  const std::string& manifest() const;
  // Multiply-adds and parameters of the two transforms, for one sample of the default shape.
  int64_t analysis_macs() const;
  int64_t synthesis_macs() const;
  int64_t analysis_params() const;
  int64_t synthesis_params() const;

  const ModelImpl& impl() const { return *impl_; }

 private:
  std::unique_ptr<const ModelImpl> impl_;
};

}  // namespace strait
