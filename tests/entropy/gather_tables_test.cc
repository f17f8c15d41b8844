#include "entropy/gather_tables.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "tests/entropy/random_tables.h"

namespace strait::rans {
namespace {

TEST(GatherTables, LeadEverySlotToItsEntry) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 100; ++trial) {
    const int precision = 8 + trial % 8;
    std::vector<CdfTable> tables;
    for (int t = 0; t < 5; ++t) {
      const int most = t == 0 ? 1 : precision == 8 ? 100 : 200;
      CdfTable table =
          RandomTable(random, 1 + static_cast<int>(random() % static_cast<unsigned>(most)), t % 2 == 1, precision);
      table.min_symbol += static_cast<int32_t>(random() % 20);
      tables.push_back(std::move(table));
    }
    auto set = CdfTableSet::Create(std::move(tables), precision).value();
    EXPECT_EQ(set.gather().image, nullptr);
    set.AddGatherTables();
    const GatherTables gather = set.gather();
    ASSERT_NE(gather.image, nullptr);
    ASSERT_EQ(gather.size, set.size());
    for (size_t t = 0; t < set.size(); ++t) {
      for (uint32_t slot = 0; slot < 1u << precision; ++slot) {
        const uint32_t entry = set.EntryOf(t, slot);
        const GatherTables::Found found = gather.Find(t, slot);
        ASSERT_EQ(found.is_escape, static_cast<int>(entry) == set.table(t).num_values());
        ASSERT_EQ(gather.min_symbol + static_cast<int32_t>(found.entry),
                  set.table(t).min_symbol + static_cast<int32_t>(entry))
            << "trial " << trial << " table " << t << " slot " << slot;
        ASSERT_EQ(found.first, set.cum(t)[entry]);
        ASSERT_EQ(found.freq, set.cum(t)[entry + 1] - set.cum(t)[entry]);
      }
    }
  }
}

TEST(GatherTables, LeaveSetsTheyCannotHoldToOtherCode) {
  const auto has_image = [](std::vector<CdfTable> tables, int precision) {
    auto set = CdfTableSet::Create(std::move(tables), precision, 32).value();
    set.AddGatherTables();
    return set.gather().image != nullptr;
  };
  const CdfTable flat{0, false, std::vector<uint32_t>(256, 1)};
  EXPECT_TRUE(has_image({flat}, 8));
  EXPECT_FALSE(has_image({}, 8));
  CdfTable wide{0, false, std::vector<uint32_t>(256, 1)};
  wide.freq.push_back(256);
  EXPECT_FALSE(has_image({wide}, 9));
  EXPECT_TRUE(has_image({{0, false, {256}}, {255, false, {256}}}, 8));
  EXPECT_FALSE(has_image({{0, false, {256}}, {256, false, {256}}}, 8));
  EXPECT_FALSE(has_image({{0, false, {256}}, {255, true, {255, 1}}}, 8));
  EXPECT_FALSE(has_image({{INT32_MIN, false, {256}}, {INT32_MAX, false, {256}}}, 8));
  EXPECT_TRUE(has_image({{INT32_MAX, true, {255, 1}}}, 8));
  EXPECT_TRUE(has_image(std::vector<CdfTable>(256, flat), 8));
  EXPECT_FALSE(has_image(std::vector<CdfTable>(257, flat), 8));
  EXPECT_TRUE(has_image({{0, false, {1u << 15}}}, 15));
  EXPECT_FALSE(has_image({{0, false, {1u << 16}}}, 16));
}

}  // namespace
}  // namespace strait::rans
