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

void ExpectRoundTrip(uint32_t distance, int max_exponent) {
  for (const bool above : {false, true}) {
    BitStack stack;
    PutEscapeBackwards({above, distance}, max_exponent, [&](uint32_t value, int bits) { stack.Put(value, bits); });
    ASSERT_EQ(stack.bits, EscapeBits(distance, max_exponent)) << distance;
    ASSERT_LE(stack.bits, 1 + 2 * max_exponent);
    const Escape read = GetEscape(max_exponent, [&](int bits) { return stack.Get(bits); });
    ASSERT_EQ(read.distance, distance);
    ASSERT_EQ(read.above, above);
    ASSERT_TRUE(stack.parts.empty());
  }
}

TEST(Escape, EveryDistanceRoundTripsInTheBitsItIsSaidToTake) {
  for (uint32_t distance = 1; distance <= 255; ++distance) ExpectRoundTrip(distance, MaxEscapeExponent(8));
  for (uint32_t distance = 1; distance <= 65535; ++distance) ExpectRoundTrip(distance, MaxEscapeExponent(16));
  for (int bit = 0; bit < 32; ++bit) {
    for (const uint32_t distance : {uint32_t{1} << bit, (uint32_t{2} << bit) - 1, (uint32_t{1} << bit) + bit / 2}) {
      ExpectRoundTrip(distance, MaxEscapeExponent(32));
    }
  }
}

TEST(Escape, NearSymbolsTakeFewBits) {
  EXPECT_EQ(EscapeBits(1, 15), 2);
  EXPECT_EQ(EscapeBits(2, 15), 4);
  EXPECT_EQ(EscapeBits(3, 15), 4);
  EXPECT_EQ(EscapeBits(32767, 15), 30);
  EXPECT_EQ(EscapeBits(65535, 15), 31);
  EXPECT_EQ(EscapeBits(255, 7), 15);
  EXPECT_EQ(EscapeBits(0xffffffff, 31), 63);
}

TEST(Escape, SplitsAndJoinsSymbolsOnBothSides) {
  for (const int32_t symbol : {-32768, -100, -4, 6, 7, 32767}) {
    const Escape escape = MakeEscape(symbol, -3, 5);
    EXPECT_EQ(escape.above, symbol > 0);
    EXPECT_EQ(EscapedSymbol(escape, -3, 5), symbol);
  }
  EXPECT_EQ(MakeEscape(-4, -3, 5).distance, 1u);
  EXPECT_EQ(MakeEscape(32767, -32768, -32768).distance, 65535u);
  const Escape farthest = MakeEscape(INT32_MAX, INT32_MIN, INT32_MIN);
  EXPECT_EQ(farthest.distance, 0xffffffffu);
  EXPECT_EQ(EscapedSymbol(farthest, INT32_MIN, INT32_MIN), INT32_MAX);
}

TEST(Escape, AnyBitsGiveABoundedDistance) {
  const Escape longest = GetEscape(15, [](int bits) { return (uint32_t{1} << bits) - 1; });
  EXPECT_EQ(longest.distance, 65535u);
  const Escape shortest = GetEscape(15, [](int) { return 0u; });
  EXPECT_EQ(shortest.distance, 1u);
}

}  // namespace
}  // namespace strait
