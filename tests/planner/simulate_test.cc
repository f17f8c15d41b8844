#include "planner/simulate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "codec/plan_spec.h"
#include "planner/search.h"
#include "tests/planner/sample_space.h"

namespace strait {
namespace {

std::shared_ptr<const Plan> SamplePlan(double switch_seconds = 0.002) {
  PlanSpec spec;
  spec.backbone_hash = "feed";
  spec.idle_watts = 2.5;
  spec.joules_per_byte = 3e-6;
  spec.switch_seconds = switch_seconds;
  for (const std::string& split : testing::SampleSplits()) spec.models.push_back({split, split + ".strait", 7});
  spec.entries = Search(testing::SampleSpace(), {.method = SearchMethod::kExhaustive}).front;
  return MakePlan(std::move(spec)).value();
}

LinkTrace Steady(double rate, double rtt) {
  return LinkTrace::Make({{0, rate, rtt, 0}, {1, rate, rtt, 0}}).value();
}

const PolicyResult& Named(const std::vector<PolicyResult>& results, const std::string& name) {
  for (const PolicyResult& result : results) {
    if (result.name == name) return result;
  }
  throw std::runtime_error("no policy " + name);
}

TEST(Simulate, OnASteadyLinkEveryFigureIsWhatArithmeticSays) {
  const auto plan = SamplePlan();
  SimulateOptions options;
  options.requests = 200;
  const auto results = Simulate(plan, Steady(1e5, 0.03), options).value();
  const ChannelState channel = {.bytes_per_second = 1e5, .rtt_seconds = 0.03};
  const PlanEntry* jpeg = nullptr;
  double best = INFINITY;
  for (const PlanEntry& entry : plan->entries()) {
    if (entry.batch != 1) continue;
    best = std::min(best, Latency(*plan, entry, channel));
    const bool faster = jpeg == nullptr || entry.device_seconds < jpeg->device_seconds;
    if (entry.split == "jpeg" && entry.quality == 10 && faster) jpeg = &entry;
  }
  const PolicyResult& offload = Named(results, "offload jpeg q10");
  EXPECT_NEAR(offload.mean_seconds, Latency(*plan, *jpeg, channel), 1e-9);
  EXPECT_NEAR(offload.p99_seconds, offload.mean_seconds, 1e-9);
  EXPECT_NEAR(offload.joules, Energy(*plan, *jpeg, channel), 1e-9);
  EXPECT_DOUBLE_EQ(offload.accuracy, 84);
  EXPECT_EQ(offload.switches, 0);
  EXPECT_NEAR(Named(results, "oracle").mean_seconds, best, 1e-9);
  EXPECT_NEAR(Named(results, "strait, channel known").mean_seconds, best, 1e-9);
}

TEST(Simulate, TheControllerBeatsEveryStaticChoiceOnALinkThatVariesAndTheOracleBeatsAll) {
  const auto plan = SamplePlan();
  const LinkTrace trace = DrawTrace("moving", 1200, 0.5, 7);
  SimulateOptions options;
  options.requests = 3000;
  options.min_accuracy = 84;
  options.estimator.half_life_seconds = 1;
  const auto results = Simulate(plan, trace, options).value();
  const double oracle = Named(results, "oracle").mean_seconds;
  double best_static = INFINITY;
  for (const PolicyResult& result : results) {
    EXPECT_GE(result.p95_seconds, result.p50_seconds);
    EXPECT_TRUE(std::ranges::is_sorted(result.latencies));
    if (result.accuracy < options.min_accuracy) continue;
    EXPECT_GE(result.mean_seconds, oracle - plan->switch_seconds()) << result.name;
    const bool fixed =
        result.name == "local" || result.name.find("static") == 0 || result.name.find("offload") == 0;
    if (fixed) best_static = std::min(best_static, result.mean_seconds);
  }
  EXPECT_LT(Named(results, "strait").mean_seconds, best_static);
  EXPECT_LT(Named(results, "strait, channel known").mean_seconds, 1.1 * oracle);
  EXPECT_GE(Named(results, "strait").accuracy, 84);
}

TEST(Simulate, DeadlinesAreMetAsFarAsTheyCanBe) {
  const auto plan = SamplePlan();
  SimulateOptions options;
  options.requests = 1000;
  options.deadline_scale_seconds = 0.08;
  const auto results = Simulate(plan, Steady(2e5, 0.02), options).value();
  const PolicyResult& known = Named(results, "strait, channel known");
  EXPECT_GT(known.deadlines_met, 5);
  EXPECT_LT(known.deadlines_met, 95);
  EXPECT_DOUBLE_EQ(known.feasible_met, 100);
  EXPECT_DOUBLE_EQ(Named(results, "oracle").feasible_met, 100);
  EXPECT_LT(Named(results, "local").feasible_met, 100);
}

TEST(Simulate, DynaSplitSavesEnergyWhereDeadlinesAllow) {
  const auto plan = SamplePlan();
  SimulateOptions options;
  options.requests = 300;
  options.seconds_per_joule = 1e6;  // energy alone
  const auto results = Simulate(plan, Steady(1e6, 0.01), options).value();
  const double dynasplit = Named(results, "dynasplit").joules;
  for (const PolicyResult& result : results) EXPECT_GE(result.joules, dynasplit - 1e-9) << result.name;
  EXPECT_NEAR(Named(results, "strait, channel known").joules, dynasplit, 1e-9);
}

std::shared_ptr<const Plan> SplitAndLocalPlan(int split_batch, double local_seconds) {
  PlanSpec spec;
  spec.backbone_hash = "feed";
  spec.idle_watts = 2;
  spec.models = {{"layer1", "layer1.strait", 7}};
  PlanEntry split, local;
  split.route = Route::kSplit;
  split.split = "layer1";
  split.batch = split_batch;
  split.bytes = 1000;
  split.device_seconds = 0.01;
  local.device_seconds = local_seconds;
  local.device_joules = 1;
  split.accuracy = local.accuracy = 80;
  spec.entries = {split, local};
  return MakePlan(std::move(spec)).value();
}

TEST(Simulate, AFallbackOfASmallerBatchRunsForEverySample) {
  SimulateOptions options;
  options.requests = 20;
  options.batch = 4;
  const auto results = Simulate(SplitAndLocalPlan(4, 0.1), Steady(100, 0.03), options).value();
  const PolicyResult& strait = Named(results, "strait");
  EXPECT_LT(strait.latencies.front(), 10);  // given up: the bytes alone take ten seconds
  EXPECT_GT(strait.latencies.front(), 0.4);
}

TEST(Simulate, AFallbackMayTakeNoTimeAtAll) {
  SimulateOptions options;
  options.requests = 200;
  options.seconds_per_joule = 1e6;
  const auto results = Simulate(SplitAndLocalPlan(1, 0), DrawTrace("moving", 600, 0.5, 7), options).value();
  for (const PolicyResult& result : results) {
    EXPECT_GT(result.joules, 0) << result.name;
    EXPECT_LT(result.joules, 1000) << result.name;
  }
}

TEST(Simulate, RunsARequestAsTheNextLargerBatchOfThePlan) {
  const auto plan = SamplePlan();
  const auto simulate = [&](int batch) {
    SimulateOptions options;
    options.requests = 100;
    options.deadline_scale_seconds = 0.2;
    options.batch = batch;
    return Simulate(plan, Steady(1e5, 0.03), options).value();
  };
  const auto rounded = simulate(3), whole = simulate(4), single = simulate(1);
  ASSERT_EQ(rounded.size(), whole.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(rounded[i].name, whole[i].name);
    EXPECT_EQ(rounded[i].latencies, whole[i].latencies) << whole[i].name;
    EXPECT_EQ(rounded[i].joules, whole[i].joules) << whole[i].name;
    EXPECT_EQ(rounded[i].feasible_met, whole[i].feasible_met) << whole[i].name;
  }
  EXPECT_GT(Named(rounded, "local").mean_seconds, Named(single, "local").mean_seconds);
}

TEST(Simulate, SurvivesALinkThatIsGoneForLong) {
  const auto plan = SamplePlan();
  const LinkTrace trace =
      LinkTrace::Make({{0, 1e6, 0.01, 0}, {5, 0, 0.01, 0.5}, {10, 0, 0.01, 0}, {15, 0, 0.01, 0}}).value();
  SimulateOptions options;
  options.requests = 500;
  const auto results = Simulate(plan, trace, options).value();
  for (const PolicyResult& result : results) {
    EXPECT_TRUE(std::isfinite(result.mean_seconds)) << result.name;
    EXPECT_TRUE(std::isfinite(result.joules)) << result.name;
  }
}

TEST(Simulate, RefusesOptionsThatMakeNoSenseByName) {
  const auto plan = SamplePlan();
  const auto refused = [&](auto change, const std::string& part) {
    SimulateOptions options;
    change(options);
    const auto results = Simulate(plan, Steady(1e6, 0.01), options);
    ASSERT_FALSE(results.ok()) << part;
    EXPECT_EQ(results.status().code(), StatusCode::kInvalidArgument);
    EXPECT_NE(results.status().message().find(part), std::string::npos) << results.status().message();
  };
  refused([](SimulateOptions& o) { o.requests = 0; }, "--requests");
  refused([](SimulateOptions& o) { o.interval_seconds = 0; }, "--interval");
  refused([](SimulateOptions& o) { o.interval_seconds = NAN; }, "--interval");
  refused([](SimulateOptions& o) { o.deadline_scale_seconds = -1; }, "--deadline");
  refused([](SimulateOptions& o) { o.server_load = 1; }, "--server-load");
  refused([](SimulateOptions& o) { o.seconds_per_joule = NAN; }, "--seconds-per-joule");
  refused([](SimulateOptions& o) { o.min_accuracy = 0.84; }, "--min-accuracy: 0.84 is not in percent");
  refused([](SimulateOptions& o) { o.min_accuracy = 101; }, "--min-accuracy: 101");
  refused([](SimulateOptions& o) { o.min_accuracy = 99; }, "99 %");
  refused([](SimulateOptions& o) { o.batch = 0; }, "--batch");
  refused([](SimulateOptions& o) { o.batch = 5; },
          "--batch: 5 samples are more than the plan's batches hold (1, 4)");
}

TEST(SimulateReport, ListsTheBestStaticOnlyAndAllInTheCsv) {
  const auto plan = SamplePlan();
  SimulateOptions options;
  options.requests = 50;
  options.min_accuracy = 83;
  const auto results = Simulate(plan, Steady(1e5, 0.03), options).value();
  const auto count = [](const std::string& text, const std::string& part) {
    int n = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count(ToTable(results, 83), "static "), 1);
  EXPECT_EQ(count(ToCsv(results), "\"static "), 12);
  EXPECT_EQ(count(ToCsv(results), "\n"), static_cast<int>(results.size()) + 1);
}

}  // namespace
}  // namespace strait
