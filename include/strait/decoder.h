// Frame to restored feature tensor: rANS, inverse gain, synthesis.
// One Decoder per thread. Frames are treated as hostile: every failure is a Status, memory is bounded by Limits.
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

// A tensor that owns its data.
struct Tensor {
  Shape shape;
  std::vector<float> data;
};

class Decoder {
 public:
  explicit Decoder(std::shared_ptr<const Model> model, const Limits& limits = {});
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  // Restores the feature tensor of `frame` into `dst` (resized, untouched on error).
  // Errors: kTruncated, kCorrupt, kUnsupported, kModelMismatch, kLimitExceeded.
  Status Decode(std::span<const uint8_t> frame, Tensor& dst);

  // Only the entropy decoding: the symbols of the latent, in its memory order.
  Status DecodeSymbols(std::span<const uint8_t> frame, std::vector<int16_t>& symbols, Shape& latent_shape);

  // Only the synthesis: symbols of a latent of `latent_shape` (batch first), at a quality, to a feature tensor.
  Status Synthesize(std::span<const int16_t> symbols, const Shape& latent_shape, double quality, Tensor& dst);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace strait
