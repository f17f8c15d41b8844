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
  EXPECT_TRUE(RansEncode<int16_t>(symbols, kLayout, GoldenTables(), payload).ok());
  std::vector<int16_t> decoded(count);
  EXPECT_TRUE(RansDecode<int16_t>(payload, kLayout, GoldenTables(), decoded).ok());
  EXPECT_EQ(decoded, symbols);
  return payload;
}

TEST(RansGolden, OneLanePayloadsAreFrozen) {
  EXPECT_EQ(Hex(GoldenPayload(0)), "");
  EXPECT_EQ(Hex(GoldenPayload(1)), "a303");
  EXPECT_EQ(Hex(GoldenPayload(4)), "8b4801");
  EXPECT_EQ(Hex(GoldenPayload(80)), "0846257f48ac84fe3fe7ff6834ad05ff5f036a09d38c74269bfff9b1f65984ffffd7ff");
}

struct Frozen {
  size_t symbols;
  size_t bytes;
  const char* first;  // 16 bytes
  uint64_t hash;
};

// One size for each number of phases.
TEST(RansGolden, PayloadsOfManyLanesAreFrozen) {
  for (const Frozen& frozen : {Frozen{1029, 432, "d6a7af04d7e4b926fe7ffe7f89a233d9", 17973106624224125230u},
                               {2053, 861, "4deb0263cb3523c66d9d00c6d7066bfa", 12217466518526172318u},
                               {4101, 1724, "3d51cc01ccbcf86e1a50666dff6f7a69", 936325205415170666u},
                               {16389, 6877, "bd0a427a6bfbb500acea4037b513229e", 2754660749058446323u}}) {
    const auto payload = GoldenPayload(frozen.symbols);
    EXPECT_EQ(payload.size(), frozen.bytes);
    EXPECT_EQ(Hex({payload.begin(), payload.begin() + 16}), frozen.first);
    EXPECT_EQ(Xxh3_64(payload), frozen.hash);
  }
}

}  // namespace
}  // namespace strait
