// Payloads frozen byte for byte: a change here is a change of format.
#include <gtest/gtest.h>

#include <string>

#include "entropy/checksum.h"
#include "entropy/rans.h"

namespace strait {
namespace {

// Two channels of fixed tables; the second has neither the symbol 0 at its start nor an escape.
CdfTableSet GoldenTables() {
  return CdfTableSet::Create({{-2, true, {200, 700, 2000, 800, 300, 96}}, {1, false, {3000, 1000, 96}}}, 12)
      .value();
}

constexpr SymbolLayout kLayout{0, 2, 4};

// A fixed cycle through every symbol of both tables, with a near and two far escapes.
std::vector<int16_t> GoldenSymbols(size_t count) {
  const int16_t first[] = {0, -1, 1, 0, 2, 0, 0, 3, 0, -2, 1, 0, -1, 0, 32767, 0, 0, 1, -32768, 0};
  const int16_t second[] = {1, 1, 2, 1, 1, 3, 1, 2, 1, 1};
  std::vector<int16_t> symbols;
  for (size_t i = 0; i < count; ++i) symbols.push_back(i / 4 % 2 ? second[i % 10] : first[i % 20]);
  return symbols;
}

std::string Hex(const std::vector<uint8_t>& bytes) {
  std::string hex;
  for (const uint8_t byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

std::vector<uint8_t> GoldenPayload(size_t count) {
  const auto symbols = GoldenSymbols(count);
  std::vector<uint8_t> payload;
  EXPECT_TRUE(RansEncode(symbols, kLayout, GoldenTables(), payload).ok());
  std::vector<int16_t> decoded(count);
  EXPECT_TRUE(RansDecode(payload, kLayout, GoldenTables(), decoded).ok());
  EXPECT_EQ(decoded, symbols);
  return payload;
}

TEST(RansGolden, OneLanePayloadsAreFrozen) {
  EXPECT_EQ(Hex(GoldenPayload(0)), "");
  EXPECT_EQ(Hex(GoldenPayload(1)), "a303");
  EXPECT_EQ(Hex(GoldenPayload(4)), "8b4801");
  EXPECT_EQ(Hex(GoldenPayload(80)), "0846257f48ac84fe3fe7ff6834ad05ff5f036a09d38c74269bfff9b1f65984ffffd7ff");
}

TEST(RansGolden, ManyLanePayloadIsFrozen) {
  const auto payload = GoldenPayload(kManyLanesThreshold + 5);
  EXPECT_EQ(payload.size(), 6955u);
  EXPECT_EQ(Hex({payload.begin(), payload.begin() + 16}), "259e5e442b1a74010793dcb35d8f8235");
  EXPECT_EQ(Xxh3_64(payload), 0xA90ABD07FBE03023ULL);
}

}  // namespace
}  // namespace strait
