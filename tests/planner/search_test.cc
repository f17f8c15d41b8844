#include "planner/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "codec/plan_spec.h"
#include "tests/planner/sample_space.h"

namespace strait {
namespace {

using testing::SampleSpace;

// 2,720 configurations of each of two batch sizes.
Space MiddlingSpace() {
  return SampleSpace({.levels = 8, .threads = {1, 2}, .batches = {1, 4}, .clocks = 15}, {.quality_step = 0.25});
}

TEST(Search, ExhaustiveTriesEachConfigurationOnceAndKeepsWhatNothingDominates) {
  const Space space = SampleSpace();
  const SearchResult result = Search(space, {.method = SearchMethod::kExhaustive});
  EXPECT_EQ(result.tried, result.configurations);
  EXPECT_EQ(result.configurations, 2 * space.size());
  EXPECT_EQ(space.size(), (1 + 1 + 2 + 3 * 4) * 2 * 3);
  std::vector<PlanEntry> all;
  for (int place = 0; place < space.num_places(); ++place) {
    for (int quality = 0; quality < space.num_qualities(place); ++quality) {
      for (int threads = 0; threads < 2; ++threads) {
        for (int clock = 0; clock < 3; ++clock) all.push_back(space.Evaluate(0, {place, quality, threads, clock}));
      }
    }
  }
  std::vector<Objectives> points;
  for (const PlanEntry& entry : all) points.push_back(ChannelFree(entry));
  EXPECT_EQ(std::ranges::count(result.front, 1, &PlanEntry::batch),
            static_cast<ptrdiff_t>(ParetoFront(points).size()));
}

TEST(Search, KeepsTheBestEntryForEveryChannel) {
  const Space space = SampleSpace();
  PlanSpec spec = {.backbone_hash = "feed",
                   .device = "d",
                   .server = "s",
                   .idle_watts = 2.5,
                   .joules_per_byte = 3e-6,
                   .switch_seconds = 0,
                   .models = {},
                   .entries = {}};
  for (const std::string& split : testing::SampleSplits()) spec.models.push_back({split, split + ".strait", 7});
  spec.entries = Search(space, {.method = SearchMethod::kExhaustive}).front;
  const auto plan = MakePlan(std::move(spec)).value();
  for (const double rate : {1e3, 1e4, 1e5, 1e6, 1e8}) {
    for (const double load : {0.0, 0.9}) {
      const ChannelState channel = {
          .bytes_per_second = rate, .rtt_seconds = 0.02, .server_load = load, .seconds_per_joule = 0.01};
      double best = INFINITY, kept = INFINITY;
      const auto cost = [&](const PlanEntry& entry) {
        return Latency(*plan, entry, channel) + 0.01 * Energy(*plan, entry, channel);
      };
      for (int place = 0; place < space.num_places(); ++place) {
        for (int quality = 0; quality < space.num_qualities(place); ++quality) {
          for (int clock = 0; clock < 3; ++clock)
            best = std::min(best, cost(space.Evaluate(0, {place, quality, 1, clock})));
        }
      }
      for (const PlanEntry& entry : plan->entries()) {
        if (entry.batch == 1) kept = std::min(kept, cost(entry));
      }
      EXPECT_DOUBLE_EQ(kept, best) << rate << " " << load;
    }
  }
}

TEST(Search, ByNsga2ReachesTheFrontOfAHundredThousandConfigurationsWithATwentiethOfTheLooks) {
  const Space space = SampleSpace({.levels = 8, .threads = {1, 2, 3, 4}, .batches = {1, 2, 4, 8}, .clocks = 20},
                                  {.quality_step = 0.0625});
  const SearchResult all = Search(space, {.method = SearchMethod::kExhaustive});
  ASSERT_GE(all.configurations, 100000);
  for (const uint64_t seed : {1, 2}) {
    const SearchResult found = Search(space, {.method = SearchMethod::kNsga2, .tried_share = 0.05, .seed = seed});
    const SearchResult random = Search(space, {.method = SearchMethod::kRandom, .tried_share = 0.05, .seed = seed});
    EXPECT_LE(found.tried, all.configurations / 20);
    double reached = 0, drawn = 0;
    for (const int batch : space.batches()) {
      const double share = HypervolumeShare(found.front, all.front, batch);
      EXPECT_GE(share, 0.99) << batch;
      EXPECT_LE(share, 1.0 + 1e-9);
      reached += share / static_cast<double>(space.batches().size());
      drawn += HypervolumeShare(random.front, all.front, batch) / static_cast<double>(space.batches().size());
    }
    EXPECT_GT(reached, drawn);
  }
}

TEST(Search, LooksAtAllOfASmallSpaceWhateverItsMethod) {
  const Space space = SampleSpace();
  const SearchResult all = Search(space, {.method = SearchMethod::kExhaustive});
  const SearchResult found = Search(space, {.method = SearchMethod::kNsga2, .tried_share = 0.01});
  EXPECT_EQ(found.tried, all.configurations);
  EXPECT_EQ(found.front.size(), all.front.size());
}

TEST(Search, IsTheSameForASeedAndNeverTriesMoreThanItMay) {
  const Space space = MiddlingSpace();
  for (const SearchMethod method : {SearchMethod::kNsga2, SearchMethod::kRandom}) {
    for (const double share : {0.001, 0.02}) {
      const SearchResult a = Search(space, {.method = method, .tried_share = share, .seed = 3});
      const SearchResult b = Search(space, {.method = method, .tried_share = share, .seed = 3});
      EXPECT_EQ(a.tried, b.tried);
      ASSERT_EQ(a.front.size(), b.front.size());
      for (size_t i = 0; i < a.front.size(); ++i) EXPECT_EQ(ChannelFree(a.front[i]), ChannelFree(b.front[i]));
      EXPECT_LE(static_cast<double>(a.tried), std::max(2.0 * 256, share * static_cast<double>(a.configurations)));
      EXPECT_GE(a.front.size(), 1u);
    }
  }
}

}  // namespace
}  // namespace strait
