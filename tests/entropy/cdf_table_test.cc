#include "entropy/cdf_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/entropy/random_tables.h"

namespace strait {
namespace {

TEST(CdfTableSet, FindsTheEntryOfEverySlot) {
  std::mt19937 random(5);
  for (int precision = kMinPrecision; precision <= kMaxPrecision; ++precision) {
    std::vector<CdfTable> tables;
    for (const int values : {1, 2, 5, 40, 250}) {
      tables.push_back(RandomTable(random, values, values % 2 == 0, precision));
    }
    const auto set = CdfTableSet::Create(tables, precision).value();
    ASSERT_EQ(set.size(), tables.size());
    for (size_t t = 0; t < set.size(); ++t) {
      const auto cum = set.cum(t);
      ASSERT_EQ(cum.size(), tables[t].freq.size() + 1);
      ASSERT_EQ(cum.front(), 0u);
      ASSERT_EQ(cum.back(), uint32_t{1} << precision);
      for (uint32_t entry = 0; entry + 1 < cum.size(); ++entry) {
        ASSERT_EQ(cum[entry + 1] - cum[entry], tables[t].freq[entry]);
        for (uint32_t slot = cum[entry]; slot < cum[entry + 1]; ++slot) ASSERT_EQ(set.EntryOf(t, slot), entry);
      }
    }
  }
}

TEST(CdfTableSet, HoldsTheLargestAlphabet) {
  std::mt19937 random(6);
  const auto set = CdfTableSet::Create({RandomTable(random, kMaxAlphabet, true, 16)}, 16);
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  EXPECT_EQ(set->EntryOf(0, 65535), uint32_t{kMaxAlphabet});
}

TEST(CdfTableSet, SurvivesMoves) {
  std::mt19937 random(7);
  const CdfTable table = RandomTable(random, 9, false, 8);
  auto set = CdfTableSet::Create({RandomTable(random, 3, true, 8), table}, 8).value();
  const auto untouched = CdfTableSet::Create({table}, 8).value();
  const CdfTableSet moved = std::move(set);
  for (uint32_t slot = 0; slot < 256; ++slot) ASSERT_EQ(moved.EntryOf(1, slot), untouched.EntryOf(0, slot));
}

TEST(CdfTableSet, HoldsSymbolsOfItsType) {
  EXPECT_TRUE(CdfTableSet::Create({{-128, true, {100, 100, 56}}}, 8, 8).ok());
  EXPECT_EQ(CdfTableSet::Create({{-129, true, {100, 100, 56}}}, 8, 8).status().code(), StatusCode::kCorrupt);
  EXPECT_EQ(CdfTableSet::Create({{127, true, {100, 100, 56}}}, 8, 8).status().code(), StatusCode::kCorrupt);
  EXPECT_TRUE(CdfTableSet::Create({{INT32_MAX - 1, true, {100, 100, 56}}}, 8, 32).ok());
  EXPECT_EQ(CdfTableSet::Create({{INT32_MAX, true, {100, 100, 56}}}, 8, 32).status().code(), StatusCode::kCorrupt);
  EXPECT_EQ(CdfTableSet::Create({{0, true, {100, 100, 56}}}, 8, 12).status().code(), StatusCode::kInvalidArgument);
}

TEST(CdfTableSet, CostsAreExactAndIncludeEscapeBits) {
  const auto set =
      CdfTableSet::Create({{-1, true, {64, 128, 48, 16}}, {0, false, {256}}, {5, false, {255, 1}}}, 8).value();
  EXPECT_DOUBLE_EQ(set.CostBits(0, -1), 2);
  EXPECT_DOUBLE_EQ(set.CostBits(0, 0), 1);
  EXPECT_DOUBLE_EQ(set.CostBits(0, 2), 4 + 2);
  EXPECT_DOUBLE_EQ(set.CostBits(0, -3), 4 + 4);
  EXPECT_DOUBLE_EQ(set.CostBits(1, 0), 0);
  EXPECT_DOUBLE_EQ(set.CostBits(2, 6), 8);
  EXPECT_TRUE(std::isinf(set.CostBits(1, 1)));
  EXPECT_TRUE(std::isinf(set.CostBits(0, 40000)));
}

TEST(CdfTableSet, ClampsOnlyWhatTheTableCannotCode) {
  const auto set = CdfTableSet::Create({{-1, true, {64, 128, 48, 16}}, {-2, false, {100, 100, 56}}}, 8).value();
  EXPECT_EQ(set.Clamp(0, 900), 900);
  EXPECT_EQ(set.Clamp(0, 40000), 32767);
  EXPECT_EQ(set.Clamp(0, -40000), -32768);
  EXPECT_EQ(set.Clamp(1, 900), 0);
  EXPECT_EQ(set.Clamp(1, -900), -2);
  EXPECT_EQ(set.Clamp(1, -1), -1);
}

TEST(ValidateTable, NamesTheRuleThatIsBroken) {
  const std::vector<uint32_t> too_many(kMaxAlphabet + 1, 1);
  const struct {
    CdfTable table;
    int precision;
    const char* reason;
  } cases[] = {
      {{0, false, {100, 155}}, 8, "sum to 255"},
      {{0, false, {256, 0}}, 8, "entry 1 is 0"},
      {{0, false, {0xffffffff, 257}}, 8, "sum to 4294967552"},
      {{0, false, {}}, 8, "0 values"},
      {{0, true, {}}, 8, "0 values"},
      {{0, true, {256}}, 8, "0 values"},
      {{0, false, too_many}, 16, "4097 values"},
      {{32767, false, {128, 128}}, 8, "int16"},
      {{-32769, false, {256}}, 8, "int16"},
      {{2147483647, false, {128, 128}}, 8, "int16"},
      {{0, false, {256}}, 7, "precision 7"},
      {{0, false, {256}}, 17, "precision 17"},
  };
  for (const auto& c : cases) {
    const Status status = ValidateTable(c.table, c.precision);
    EXPECT_EQ(status.code(), StatusCode::kCorrupt);
    EXPECT_NE(status.message().find(c.reason), std::string::npos) << status.message();
    EXPECT_FALSE(CdfTableSet::Create({c.table}, c.precision).ok());
  }
  EXPECT_TRUE(ValidateTable({32766, false, {128, 128}}, 8).ok());
  const auto second = CdfTableSet::Create({{0, false, {256}}, {0, false, {1}}}, 8);
  EXPECT_NE(second.status().message().find("table 1 of 2"), std::string::npos);
}

}  // namespace
}  // namespace strait
