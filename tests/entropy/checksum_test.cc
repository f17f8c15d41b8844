#include "entropy/checksum.h"

#include <gtest/gtest.h>

#include <vector>

namespace strait {
namespace {

// Vectors of the xxHash project's own self test: XXH3 of its generated buffer, with and without its seed.
constexpr uint64_t kPrime32 = 2654435761u;
constexpr uint64_t kPrime64 = 11400714785074694797u;

std::vector<uint8_t> SanityBuffer(size_t size) {
  std::vector<uint8_t> buffer(size);
  uint64_t generator = kPrime32;
  for (uint8_t& byte : buffer) {
    byte = static_cast<uint8_t>(generator >> 56);
    generator *= kPrime64;
  }
  return buffer;
}

TEST(Checksum, MatchesPublishedXxh3Vectors) {
  EXPECT_EQ(Xxh3_64({}), 0x2D06800538D394C2u);
  EXPECT_EQ(Xxh3_64({}, kPrime64), 0xA8A6B918B2F0364Au);
  EXPECT_EQ(Xxh3_64(SanityBuffer(1)), 0xC44BDFF4074EECDBu);
  EXPECT_EQ(Xxh3_64(SanityBuffer(6)), 0x27B56A84CD2D7325u);
  EXPECT_EQ(Xxh3_64(SanityBuffer(2048)), 0xDD59E2C3A5F038E0u);
  EXPECT_EQ(Xxh3_64(SanityBuffer(2048), kPrime64), 0x66F81670669ABABCu);
}

TEST(Checksum, FrameChecksumIsTheLowHalfAndDependsOnTheModel) {
  const std::vector<uint8_t> frame = {1, 2, 3};
  EXPECT_EQ(FrameChecksum(frame, {}, 7), static_cast<uint32_t>(Xxh3_64(frame, 7)));
  EXPECT_EQ(FrameChecksum(std::span(frame).first(1), std::span(frame).subspan(1), 7), FrameChecksum(frame, {}, 7));
  EXPECT_NE(FrameChecksum(frame, {}, 7), FrameChecksum(frame, {}, 8));
}

}  // namespace
}  // namespace strait
