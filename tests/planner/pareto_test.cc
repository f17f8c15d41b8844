#include "planner/pareto.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace strait {
namespace {

bool Dominates(const Objectives& a, const Objectives& b) {
  bool better = false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    better = better || a[i] < b[i];
  }
  return better;
}

TEST(ParetoFront, IsWhatNothingDominatesAndOneOfEqualPoints) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<Objectives> points(60, Objectives(3));
    for (Objectives& point : points) {
      for (double& value : point) value = static_cast<double>(random() % 6);  // many ties
    }
    const std::vector<size_t> front = ParetoFront(points);
    for (size_t i = 0; i < points.size(); ++i) {
      const bool dominated =
          std::ranges::any_of(points, [&](const Objectives& p) { return Dominates(p, points[i]); });
      const bool first =
          std::find(points.begin(), points.end(), points[i]) == points.begin() + static_cast<ptrdiff_t>(i);
      EXPECT_EQ(std::ranges::count(front, i), !dominated && first) << i;
    }
  }
}

TEST(Hypervolume, IsTheVolumeDominatedBelowTheReference) {
  EXPECT_DOUBLE_EQ(Hypervolume(std::vector<Objectives>{{0, 0}}, {2, 3}), 6);
  EXPECT_DOUBLE_EQ(Hypervolume(std::vector<Objectives>{{0, 1}, {1, 0}}, {2, 2}), 3);
  EXPECT_DOUBLE_EQ(Hypervolume(std::vector<Objectives>{{0, 1}, {5, 0}}, {2, 2}), 2);  // one lies beyond
  EXPECT_DOUBLE_EQ(Hypervolume(std::vector<Objectives>{}, {2, 2}), 0);
}

}  // namespace
}  // namespace strait
