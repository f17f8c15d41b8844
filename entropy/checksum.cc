#include "entropy/checksum.h"

#include <xxhash.h>

namespace strait {

uint64_t Xxh3_64(std::span<const uint8_t> bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

uint32_t FrameChecksum(std::span<const uint8_t> bytes, uint64_t model_id) {
  return static_cast<uint32_t>(Xxh3_64(bytes, model_id));
}

}  // namespace strait
