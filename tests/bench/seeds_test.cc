#include "bench/rd/seeds.h"

#include <gtest/gtest.h>

namespace strait {
namespace {

std::vector<RdPoint> CurveOf(const std::string& codec, double bytes_scale, double accuracy_shift) {
  std::vector<RdPoint> rows;
  const double bytes[] = {40, 60, 100, 200}, accuracy[] = {80, 82, 84, 85};
  for (int level = 0; level < 4; ++level) {
    rows.push_back({codec, std::to_string(level), 0.01, bytes[level] * bytes_scale, 0.1,
                    accuracy[level] + accuracy_shift, 1 - accuracy_shift, 90});
  }
  return rows;
}

TEST(Seeds, GroupRunsWhoseRecipesDifferInSeedsAlone) {
  Recipe first, second, other;
  second.train.seed = 2;
  second.data.seed = 5;
  second.data.cache = "elsewhere";
  second.train.precision = PrecisionKind::kBFloat16;
  other.train.epochs = 3;
  const std::vector<std::string> paths = {"runs/a", "runs/b", "runs/c"};
  EXPECT_EQ(GroupBySeed({first, other, second}, paths).value(), (std::vector<std::vector<size_t>>{{0, 2}, {1}}));
  const Status twice = GroupBySeed({first, other, first}, paths).status();
  EXPECT_EQ(twice.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(twice.message().find("runs/c has the recipe and the seeds of runs/a"), std::string::npos);
}

TEST(Seeds, MeanAndDeviationOfEachNumber) {
  const SeedCurves curves =
      MeanOfSeeds({CurveOf("a", 1, 0), CurveOf("b", 1.1, 0.3), CurveOf("c", 1.2, 0.6)}).value();
  EXPECT_EQ(curves.mean[0].codec, "a");
  EXPECT_NEAR(curves.mean[0].bytes_per_sample, 44, 1e-9);
  EXPECT_NEAR(curves.deviation[0].bytes_per_sample, 4, 1e-9);
  EXPECT_NEAR(curves.mean[3].top1, 85.3, 1e-9);
  EXPECT_NEAR(curves.deviation[3].top1, 0.3, 1e-9);
  EXPECT_EQ(MeanOfSeeds({CurveOf("a", 1, 0)}).value().deviation[0].top1, 0);
}

TEST(Seeds, OfOtherLevelsAreRefused) {
  std::vector<RdPoint> fewer = CurveOf("b", 1, 0);
  fewer.pop_back();
  EXPECT_EQ(MeanOfSeeds({CurveOf("a", 1, 0), fewer}).status().code(), StatusCode::kInvalidArgument);
}

TEST(Seeds, TablesSaySpreadAndBdRatesOfEachSeed) {
  const SeedCurves ours = MeanOfSeeds({CurveOf("ours", 0.5, 0), CurveOf("ours-2", 0.6, 0)}).value();
  const SeedCurves reference = MeanOfSeeds({CurveOf("reference", 1, 0)}).value();
  std::vector<RdPoint> rows = ours.mean;
  rows.insert(rows.end(), reference.mean.begin(), reference.mean.end());
  const std::string spread = SeedTable({ours, reference});
  EXPECT_NE(spread.find("ours   0          2          22.0   2.8       80.00  0.00"), std::string::npos) << spread;
  EXPECT_EQ(spread.find("reference"), std::string::npos);
  const std::string rates = SeedBdTable(FindSeedBdRates({ours, reference}, rows));
  EXPECT_NE(rates.find("ours   reference           -45.0  7.1   -50.0 -40.0"), std::string::npos) << rates;
  EXPECT_EQ(SeedTable({reference}), "");
  EXPECT_EQ(SeedBdTable(FindSeedBdRates({reference}, rows)), "");
}

TEST(Seeds, ASeedWithoutABdRateIsShownAndNotAveragedAway) {
  const std::vector<RdPoint> out_of_reach = CurveOf("ours-2", 1, 40);
  const SeedCurves ours = MeanOfSeeds({CurveOf("ours", 0.5, 0), out_of_reach}).value();
  const SeedCurves reference = MeanOfSeeds({CurveOf("reference", 1, 0)}).value();
  std::vector<RdPoint> rows = ours.mean;
  rows.insert(rows.end(), reference.mean.begin(), reference.mean.end());
  const std::vector<SeedBdRates> rates = FindSeedBdRates({ours, reference}, rows);
  ASSERT_EQ(rates.size(), 1u);
  EXPECT_NEAR(rates[0].percent.at(0).value(), -50, 0.1);
  EXPECT_EQ(rates[0].percent.at(1), std::nullopt);
  EXPECT_EQ(rates[0].mean, std::nullopt);
  const std::string table = SeedBdTable(rates);
  EXPECT_NE(table.find("ours   reference               -   -       -50.0 -"), std::string::npos) << table;
}

}  // namespace
}  // namespace strait
