// Feature tensor to frame: analysis, gain, quantisation, rANS.
// One Encoder per thread; the Model behind it is shared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "strait/model.h"
#include "strait/result.h"
#include "strait/tensor.h"

namespace strait {

struct EncodeOptions {
  // Real number in [0, levels - 1]; unset is the highest level. Kept in sixteenths of a level.
  std::optional<double> quality = {};
  // When set, the best quality whose frame has at most this many bytes is used and `quality` must
  // be unset. kLimitExceeded, naming the smallest size that would do, when none fits.
  std::optional<size_t> max_bytes = {};
  // Adds 4 bytes that catch corruption and a wrong model. Without it most corruption still shows
  // in the final rANS state, but a frame of a sister model may decode to noise.
  bool checksum = false;
};

class Encoder {
 public:
  explicit Encoder(std::shared_ptr<const Model> model);
  ~Encoder();
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;

  // Encodes `src`, {N, C, H, W} or {N, T, C} with the model's channels, into `dst` (replaced).
  // Errors: kInvalidArgument (shape, quality, non-finite values), kUnsupported (a spatial size the unit
  // cannot restore), kLimitExceeded (max_bytes).
  Status Encode(const TensorView& src, const EncodeOptions& options, std::vector<uint8_t>& dst);

  // The symbols of `src` at a quality without coding them, in memory order of the latent [N, ...].
  // For tests, table fitting and rate estimates.
  Status Quantize(const TensorView& src, double quality, std::vector<int16_t>& symbols);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace strait
