#include "entropy/escape.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace strait {
namespace {

// A last-in first-out stack of bits, which is what a rANS state is.
struct BitStack {
  std::vector<std::pair<uint32_t, int>> parts;
  int bits = 0;

  void Put(uint32_t value, int count) {
    EXPECT_LT(value, uint32_t{1} << count);
    parts.emplace_back(value, count);
    bits += count;
  }
  uint32_t Get(int count) {
    const auto [value, wrote] = parts.back();
    parts.pop_back();
    EXPECT_EQ(wrote, count);
    return value;
  }
};

TEST(Escape, EveryDistanceRoundTripsInTheBitsItIsSaidToTake) {
  for (uint32_t distance = 1; distance <= 65535; ++distance) {
    for (const bool above : {false, true}) {
      BitStack stack;
      PutEscapeBackwards({above, distance}, [&](uint32_t value, int bits) { stack.Put(value, bits); });
      ASSERT_EQ(stack.bits, EscapeBits(distance)) << distance;
      ASSERT_LE(stack.bits, kMaxEscapeBits);
      const Escape read = GetEscape([&](int bits) { return stack.Get(bits); });
      ASSERT_EQ(read.distance, distance);
      ASSERT_EQ(read.above, above);
      ASSERT_TRUE(stack.parts.empty());
    }
  }
}

TEST(Escape, NearSymbolsTakeFewBits) {
  EXPECT_EQ(EscapeBits(1), 2);
  EXPECT_EQ(EscapeBits(2), 4);
  EXPECT_EQ(EscapeBits(3), 4);
  EXPECT_EQ(EscapeBits(32767), 30);
  EXPECT_EQ(EscapeBits(65535), 31);
}

TEST(Escape, SplitsAndJoinsSymbolsOnBothSides) {
  for (const int32_t symbol : {-32768, -100, -4, 6, 7, 32767}) {
    const Escape escape = MakeEscape(symbol, -3, 5);
    EXPECT_EQ(escape.above, symbol > 0);
    EXPECT_EQ(EscapedSymbol(escape, -3, 5), symbol);
  }
  EXPECT_EQ(MakeEscape(-4, -3, 5).distance, 1u);
  EXPECT_EQ(MakeEscape(32767, -32768, -32768).distance, 65535u);
}

TEST(Escape, AnyBitsGiveABoundedDistance) {
  const Escape longest = GetEscape([](int bits) { return (uint32_t{1} << bits) - 1; });
  EXPECT_EQ(longest.distance, 65535u);
  const Escape shortest = GetEscape([](int) { return 0u; });
  EXPECT_EQ(shortest.distance, 1u);
}

}  // namespace
}  // namespace strait
