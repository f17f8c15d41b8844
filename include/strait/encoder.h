// Feature tensor to frame: analysis, gain, quantisation, rANS.
// One Encoder per thread; the Model behind it is shared. After the first call with a shape, calls with that shape
// allocate nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "strait/limits.h"
#include "strait/model.h"
#include "strait/result.h"
#include "strait/tensor.h"

namespace strait {

struct EncodeOptions {
  // Real number in [0, levels - 1]; unset is the highest level. Kept in sixteenths of a level.
  std::optional<double> quality = {};
  // When set, the best quality whose frame has at most this many bytes is used and `quality` must be unset: the
  // highest of all where frames grow with quality; where some are out of order, up to a quarter of a level above
  // the first crossing is looked at too. Analysis runs once. kLimitExceeded, naming the smallest size that would
  // do, when none fits.
  std::optional<size_t> max_bytes = {};
  // Adds 4 bytes that catch corruption and a wrong model. Without it most corruption still shows in the final rANS
  // state, but a frame of a sister model may decode to noise.
  bool checksum = false;
};

class Encoder {
 public:
  explicit Encoder(std::shared_ptr<const Model> model, const CoderOptions& options = {});
  ~Encoder();
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;

  // Bytes that no frame of a tensor of `src_shape` passes, whatever its values and the options. Errors: as Encode's
  // for a shape.
  Result<size_t> EncodeBound(const Shape& src_shape);

  // Encodes `src`, {N, C, H, W} or {N, T, C} with the model's channels, any batch and, up to the limits, any size.
  // A size that the unit cannot restore as it is gets padded at its end, which decoding undoes (docs/format.md).
  // Writes the frame to the start of `dst` and returns its size. Errors: kInvalidArgument (shape, quality, values
  // that are not finite), kUnsupported (strides), kLimitExceeded (limits, max_bytes; `dst` too small: never with
  // EncodeBound bytes). `dst` is untouched on error.
  Result<size_t> EncodeInto(const TensorView& src, const EncodeOptions& options, std::span<uint8_t> dst);

  // The same into a vector, which is resized to the frame.
  Status Encode(const TensorView& src, const EncodeOptions& options, std::vector<uint8_t>& dst);

  // The symbols of `src` at a quality without coding them, in memory order of the latent [N, ...].
  // For tests, table fitting and rate estimates.
  Status Quantize(const TensorView& src, double quality, std::vector<int16_t>& symbols);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace strait
