#include "entropy/zstd_block.h"

#include <gtest/gtest.h>

#include <random>

namespace strait {
namespace {

std::vector<uint8_t> SkewedBytes(size_t size) {
  std::mt19937 random(1);
  std::geometric_distribution<int> byte(0.3);
  std::vector<uint8_t> bytes(size);
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(byte(random));
  return bytes;
}

TEST(ZstdBlock, RoundTripsAtEveryKindOfLevelAndSize) {
  for (const size_t size : {0, 1, 1000, 300000}) {
    const auto src = SkewedBytes(size);
    for (const int level : {-5, 1, 3, 19}) {
      const auto packed = ZstdCompress(src, level);
      ASSERT_TRUE(packed.ok()) << packed.status().ToString();
      const auto restored = ZstdDecompress(packed.value(), src.size());
      ASSERT_TRUE(restored.ok()) << restored.status().ToString();
      EXPECT_EQ(restored.value(), src);
    }
  }
}

TEST(ZstdBlock, RefusesContentPastTheLimit) {
  for (const size_t size : {1, 100, 5000, 300000}) {
    const auto packed = ZstdCompress(std::vector<uint8_t>(size, 7), 3).value();
    EXPECT_EQ(ZstdDecompress(packed, size - 1).status().code(), StatusCode::kLimitExceeded) << size;
    EXPECT_TRUE(ZstdDecompress(packed, size).ok()) << size;
  }
}

TEST(ZstdBlock, ReportsEveryTruncationAndTrailingBytes) {
  auto packed = ZstdCompress(SkewedBytes(2000), 3).value();
  for (size_t size = 0; size < packed.size(); ++size) {
    const auto cut = ZstdDecompress(std::span(packed).first(size), 2000);
    ASSERT_FALSE(cut.ok());
    EXPECT_EQ(cut.status().code(), StatusCode::kTruncated) << size << ": " << cut.status().message();
  }
  packed.push_back(0);
  EXPECT_EQ(ZstdDecompress(packed, 2000).status().code(), StatusCode::kCorrupt);
  EXPECT_EQ(ZstdDecompress(std::vector<uint8_t>(40, 0xaa), 2000).status().code(), StatusCode::kCorrupt);
}

TEST(ZstdBlock, RefusesLevelsZstdDoesNotHave) {
  EXPECT_EQ(ZstdCompress({}, 1000).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace strait
