// One zstd frame (RFC 8878) in memory, for baselines and blocks that rANS does not suit. Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "strait/result.h"

namespace strait {

// Compresses `src` to one zstd frame with its content size. Levels are zstd's own, negative ones included.
// Errors: kInvalidArgument (level), kInternal.
Result<std::vector<uint8_t>> ZstdCompress(std::span<const uint8_t> src, int level);

// Decompresses exactly one zstd frame. Memory is bounded by max_bytes, whatever the frame claims.
// Errors: kTruncated, kCorrupt (trailing bytes included), kLimitExceeded (more than max_bytes).
Result<std::vector<uint8_t>> ZstdDecompress(std::span<const uint8_t> src, size_t max_bytes);

}  // namespace strait
