// Frame to restored feature tensor: rANS, inverse gain, synthesis.
// One Decoder per thread; the Model behind it is shared. Frames are treated as hostile: every failure is a Status,
// memory is bounded by Limits. After the first call with a shape, calls with that shape allocate nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "strait/limits.h"
#include "strait/model.h"
#include "strait/result.h"
#include "strait/tensor.h"

namespace strait {

// What a frame says of itself, readable without its payload.
struct FrameInfo {
  int version = 0;
  double quality = 0;
  bool has_checksum = false;
  bool has_shape = false;   // false: the model's default shape, batch 1
  Shape shape;              // of the feature tensor, batch first; empty unless has_shape
  size_t header_bytes = 0;  // everything before the payload, checksum included
  size_t payload_bytes = 0;
};

// Parses the header of a frame. Errors: kTruncated, kCorrupt, kUnsupported.
Result<FrameInfo> ReadFrameInfo(std::span<const uint8_t> frame);

using FrameView = std::span<const uint8_t>;

class Decoder {
 public:
  explicit Decoder(std::shared_ptr<const Model> model, const CoderOptions& options = {});
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  // Shape of the feature tensor that a frame holds, batch first, read from its header and held to the limits.
  Result<Shape> ShapeOf(FrameView frame);

  // Restores the feature tensor of `frame` into `dst`, which has exactly the frame's shape.
  // Errors: kTruncated, kCorrupt, kUnsupported, kModelMismatch, kLimitExceeded; kInvalidArgument (`dst` of another
  // shape). `dst` is untouched on error.
  Status Decode(FrameView frame, const MutableTensorView& dst);

  // The same into a tensor that is resized to the frame's shape.
  Status Decode(FrameView frame, Tensor& dst);

  // Restores many frames, of any qualities, in one call, side by side as what runs on batches wants them. `dst` is
  // {N, ...} with N a multiple of frames.size(): frame i, a batch of N / frames.size() samples, fills the i-th
  // part. When `statuses` is given it has an entry for each frame: sound frames are restored and their entry is ok,
  // the part of an unsound one is zeroed and its entry says why; the call is then ok. Without it the first unsound
  // frame fails the call
  // ("frame 3: ..."). `dst` is untouched when the call fails.
  Status DecodeBatch(std::span<const FrameView> frames, const MutableTensorView& dst,
                     std::span<Status> statuses = {});

  // Only the entropy decoding: the symbols of the latent, in its memory order.
  Status DecodeSymbols(FrameView frame, std::vector<int16_t>& symbols, Shape& latent_shape);

  // Only the synthesis: symbols of a latent of `latent_shape` (batch first), at a quality, to a feature tensor.
  Status Synthesize(std::span<const int16_t> symbols, const Shape& latent_shape, double quality, Tensor& dst);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace strait
