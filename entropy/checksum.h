// XXH3 hashes: identities of model files and checksums of frames. Not cryptographic. Thread-safe.
#pragma once

#include <cstdint>
#include <span>

namespace strait {

// XXH3-64 of `bytes` (xxHash specification 0.2.0), the same on every machine.
uint64_t Xxh3_64(std::span<const uint8_t> bytes, uint64_t seed = 0);

// Checksum of a frame: the low 32 bits of Xxh3_64, seeded with the model's id, of the bytes before the checksum and
// those after it.
uint32_t FrameChecksum(std::span<const uint8_t> before, std::span<const uint8_t> after, uint64_t model_id);

}  // namespace strait
