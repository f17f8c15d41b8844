#include "entropy/checksum.h"

// Inlined, so that the runtime needs no libxxhash beside it.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace strait {

uint64_t Xxh3_64(std::span<const uint8_t> bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

uint32_t FrameChecksum(std::span<const uint8_t> before, std::span<const uint8_t> after, uint64_t model_id) {
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_64bits_reset_withSeed(&state, model_id);
  XXH3_64bits_update(&state, before.data(), before.size());
  XXH3_64bits_update(&state, after.data(), after.size());
  return static_cast<uint32_t>(XXH3_64bits_digest(&state));
}

}  // namespace strait
