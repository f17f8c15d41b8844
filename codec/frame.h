// The bytes of a frame around its payload: docs/format.md, frame.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "strait/decoder.h"

namespace strait {

inline constexpr int kFrameVersion = 1;  // low 4 bits of byte 0
inline constexpr uint8_t kFrameVersionMask = 0x0f;
inline constexpr uint8_t kFrameChecksumFlag = 0x10;
inline constexpr uint8_t kFrameShapeFlag = 0x20;
inline constexpr size_t kMaxFrameRank = 5;
inline constexpr size_t kFrameChecksumBytes = 4;
// Version and flags, quality, rank, dimensions, checksum.
inline constexpr size_t kMaxFrameHeaderBytes = 1 + 2 + 1 + 5 * kMaxFrameRank + kFrameChecksumBytes;

struct FrameHeader {
  int quality_code = 0;  // sixteenths of a level
  bool has_checksum = false;
  Shape shape;  // batch first; empty for the model's default shape, batch 1
};

size_t FrameHeaderBytes(const FrameHeader& header);

// Writes a header, room for the checksum included, and returns its size. Precondition: at most kMaxFrameRank
// dimensions, below 2^35.
size_t WriteFrameHeader(const FrameHeader& header, uint8_t* dst);

// Writes the checksum of a frame whose header has one. `model_id` seeds it.
void SealFrame(size_t header_bytes, uint64_t model_id, std::span<uint8_t> frame);

struct ParsedFrame {
  FrameHeader header;
  uint32_t checksum = 0;
  size_t header_bytes = 0;           // checksum included
  std::span<const uint8_t> payload;  // borrows the frame
};

// Errors: kTruncated, kCorrupt, kUnsupported. Does not check the checksum: that needs the model.
Result<ParsedFrame> ParseFrame(std::span<const uint8_t> frame);

// kCorrupt unless the frame has no checksum or its checksum fits the model.
Status VerifyFrameChecksum(std::span<const uint8_t> frame, const ParsedFrame& parsed, uint64_t model_id);

}  // namespace strait
