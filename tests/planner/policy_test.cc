#include "planner/policy.h"

#include <gtest/gtest.h>

#include "codec/plan_spec.h"

namespace strait {
namespace {

TEST(DynamicSplitPolicy, ChoosesTheFastestPlaceOfTheBatchAtItsHighestQualityAndNeverJpeg) {
  PlanSpec spec;
  spec.models = {{"layer1", "layer1.strait", 7}};
  // Route, split, quality, threads, clock, batch, seconds here and there, bytes, joules, accuracy.
  spec.entries = {{Route::kLocal, "", 0, 1, 0, 1, 0.5, 0, 0, 0.1, 86},
                  {Route::kSplit, "layer1", 1, 1, 0, 1, 0.1, 0.01, 2000, 0.1, 84},
                  {Route::kSplit, "layer1", 0, 1, 0, 1, 0.1, 0.01, 10, 0.1, 80},
                  {Route::kOffload, "jpeg", 10, 1, 0, 1, 0.01, 0.01, 10, 0.1, 80},
                  {Route::kOffload, "jpeg", 10, 1, 0, 2, 0.01, 0.01, 10, 0.1, 80}};
  const auto plan = MakePlan(std::move(spec)).value();
  const auto policy = DynamicSplitPolicy(plan, 1);
  ASSERT_NE(policy, nullptr);
  const auto choose = [&](double rate) {
    PolicyInput input;
    input.channel.bytes_per_second = rate;
    return policy->Choose(input).entry;
  };
  EXPECT_EQ(choose(1e6), &plan->entries()[1]);
  EXPECT_EQ(choose(1e3), &plan->entries()[0]);
  EXPECT_EQ(DynamicSplitPolicy(plan, 2), nullptr);
}

}  // namespace
}  // namespace strait
