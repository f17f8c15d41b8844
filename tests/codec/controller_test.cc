// The controller against what it must equal: a scan over all entries that follows the rules of the header.
#include "strait/controller.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <thread>

#include "bench/reference_plans.h"

namespace strait {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const ChannelState kFast = {.bytes_per_second = 1e7, .rtt_seconds = 0.005};
const ChannelState kSlow = {.bytes_per_second = 3e3, .rtt_seconds = 0.1};

std::shared_ptr<const Plan> Made(PlanSpec spec) { return MakePlan(std::move(spec)).value(); }

// The rules, entry by entry, in the order of the header.
class ScanController {
 public:
  ScanController(const Plan& plan, double horizon) : plan_(plan) {
    if (horizon > 0) penalty_ = plan.switch_seconds() / horizon;
  }

  size_t Choose(const ChannelState& channel, const Request& request) {
    const bool has_channel = channel.bytes_per_second > 0 && channel.rtt_seconds >= 0;
    std::vector<size_t> considered = OfBatch(request.batch, has_channel);
    KeepAccurate(considered, request.min_accuracy);
    ChannelState limits = channel;
    if (channel.low_bytes_per_second > 0) limits.bytes_per_second = channel.low_bytes_per_second;
    if (channel.high_rtt_seconds > 0) limits.rtt_seconds = channel.high_rtt_seconds;
    const auto latency = [&](size_t i) { return Latency(plan_, plan_.entries()[i], channel, request.batch); };
    std::vector<size_t> in_time;
    for (const ChannelState& link : {limits, channel}) {
      if (!in_time.empty()) break;
      for (const size_t i : considered) {
        if (Latency(plan_, plan_.entries()[i], link, request.batch) <= request.deadline_seconds)
          in_time.push_back(i);
      }
    }
    const auto cost = [&](size_t i) {
      const PlanEntry& entry = plan_.entries()[i];
      return Latency(plan_, entry, channel, request.batch) +
             channel.seconds_per_joule * Energy(plan_, entry, channel, request.batch);
    };
    const auto bytes = [&](size_t i) { return plan_.entries()[i].bytes; };
    const bool any_local = plan_.entries()[considered.front()].route == Route::kLocal;
    const size_t best = !has_channel && !any_local ? Smallest(considered, bytes)
                        : in_time.empty() ? Smallest(considered, [&](size_t i) { return latency(i) + Held(i); })
                                          : Smallest(in_time, [&](size_t i) { return cost(i) + Held(i); });
    previous_ = best;
    return best;
  }

 private:
  std::vector<size_t> OfBatch(int batch, bool has_channel) const {
    bool has_local = false;
    for (const PlanEntry& entry : plan_.entries()) has_local = has_local || entry.route == Route::kLocal;
    const bool local_only = !has_channel && has_local;
    int holding = std::numeric_limits<int>::max(), largest = 0;
    for (const PlanEntry& entry : plan_.entries()) {
      if (local_only && entry.route != Route::kLocal) continue;
      if (entry.batch >= batch) holding = std::min(holding, entry.batch);
      largest = std::max(largest, entry.batch);
    }
    const int wanted = holding < std::numeric_limits<int>::max() ? holding : largest;
    std::vector<size_t> result;
    for (size_t i = 0; i < plan_.entries().size(); ++i) {
      const PlanEntry& entry = plan_.entries()[i];
      if (entry.batch != wanted || (local_only && entry.route != Route::kLocal)) continue;
      if (has_channel || local_only || entry.route != Route::kLocal) result.push_back(i);
    }
    return result;
  }

  void KeepAccurate(std::vector<size_t>& considered, double min_accuracy) const {
    double most = 0;
    for (const size_t i : considered) most = std::max(most, plan_.entries()[i].accuracy);
    std::erase_if(considered, [&](size_t i) { return plan_.entries()[i].accuracy < std::min(min_accuracy, most); });
  }

  double Held(size_t i) const {
    if (!previous_) return 0;
    const PlanEntry &a = plan_.entries()[i], &b = plan_.entries()[*previous_];
    return a.route == b.route && a.split == b.split ? 0 : penalty_;
  }

  template <typename Cost>
  static size_t Smallest(const std::vector<size_t>& indices, const Cost& cost) {
    size_t best = indices.front();
    for (const size_t i : indices) {
      if (cost(i) < cost(best)) best = i;
    }
    return best;
  }

  const Plan& plan_;
  double penalty_ = 0;
  std::optional<size_t> previous_;
};

struct Ask {
  ChannelState channel;
  Request request;
};

Ask RandomAsk(std::mt19937& random) {
  std::uniform_real_distribution<double> uniform;
  const auto log_uniform = [&](double low, double high) { return low * std::pow(high / low, uniform(random)); };
  Ask ask;
  if (random() % 8 != 0) ask.channel.bytes_per_second = log_uniform(1e3, 1e8);
  ask.channel.rtt_seconds = random() % 4 != 0 ? log_uniform(1e-4, 1) : 0;
  if (random() % 2 != 0) ask.channel.server_load = uniform(random) * 0.99;
  if (random() % 3 != 0) ask.channel.seconds_per_joule = log_uniform(1e-3, 1e9);
  if (random() % 2 != 0) ask.channel.low_bytes_per_second = ask.channel.bytes_per_second * uniform(random);
  if (random() % 2 != 0) ask.channel.high_rtt_seconds = ask.channel.rtt_seconds * (1 + uniform(random));
  if (random() % 3 != 0) ask.request.deadline_seconds = log_uniform(1e-3, 2);
  if (random() % 3 != 0) ask.request.min_accuracy = uniform(random) * 110;
  ask.request.batch = 1 + static_cast<int>(random() % 12);
  return ask;
}

TEST(Controller, ChoosesWhatAScanChooses) {
  std::mt19937 random(1);
  for (uint32_t seed = 0; seed < 60; ++seed) {
    const size_t sizes[] = {1, 2, 7, 8, 9, 64, 65, 513, 3000};
    const double local_shares[] = {0.05, 0, 1, 0.5};
    PlanSpec spec =
        RandomPlan(sizes[seed % 9], seed, seed % 3 == 0, local_shares[seed % 4], 1 + static_cast<int>(seed % 4));
    if (seed % 5 == 0) spec = RealisticPlan(sizes[seed % 9], seed);
    if (seed % 7 == 0) spec.idle_watts = 0;
    const double horizon = seed % 2 != 0 ? 16 : 0;
    const auto plan = Made(spec);
    Controller controller(plan, {.horizon_requests = horizon});
    ScanController scan(*plan, horizon);
    for (int i = 0; i < 300; ++i) {
      const Ask ask = RandomAsk(random);
      const Choice choice = controller.Choose(ask.channel, ask.request);
      ASSERT_EQ(choice.index, scan.Choose(ask.channel, ask.request)) << "plan " << seed << ", request " << i;
      ASSERT_EQ(choice.entry, &plan->entries()[choice.index]);
      ASSERT_EQ(choice.latency_seconds, Latency(*plan, *choice.entry, ask.channel, ask.request.batch) +
                                            (choice.switched ? plan->switch_seconds() : 0));
      ASSERT_EQ(choice.energy_joules, Energy(*plan, *choice.entry, ask.channel, ask.request.batch));
      ASSERT_EQ(choice.meets_accuracy, choice.entry->accuracy >= ask.request.min_accuracy);
    }
  }
}

TEST(Controller, TakesTheFirstOfEqualEntries) {
  PlanSpec spec = SmallPlan();
  spec.entries.assign(1000, LocalEntry(0.1, 1, 80));
  spec.entries[0].accuracy = 79;
  Controller controller(Made(spec));
  EXPECT_EQ(controller.Choose(kFast, {.min_accuracy = 80}).index, 1u);
  EXPECT_EQ(controller.Choose(kFast).index, 0u);
}

TEST(Latency, AddsTheNetworkWhereItIsUsed) {
  const auto plan = Made(SmallPlan());
  const PlanEntry& local = plan->entries()[0];
  const PlanEntry& split = plan->entries()[1];
  const ChannelState channel = {.bytes_per_second = 1e5, .rtt_seconds = 0.03, .server_load = 0.5};
  EXPECT_DOUBLE_EQ(Latency(*plan, local, channel), 0.2);
  EXPECT_DOUBLE_EQ(Latency(*plan, split, channel), 0.02 + 0.03 + 0.04 + 0.008);
  EXPECT_DOUBLE_EQ(Latency(*plan, split, channel, 3), 3 * Latency(*plan, split, channel));
  EXPECT_DOUBLE_EQ(Energy(*plan, local, channel), 1.0);
  EXPECT_DOUBLE_EQ(Energy(*plan, split, channel), 0.1 + 4000e-6 + 1.5 * (0.03 + 0.04 + 0.008));
  EXPECT_EQ(Latency(*plan, split, {}), kInfinity);
  EXPECT_EQ(Energy(*plan, split, {}), kInfinity);
  EXPECT_DOUBLE_EQ(Latency(*plan, local, {}), 0.2);
}

TEST(Controller, FollowsRateDeadlineAccuracyAndBattery) {
  Controller controller(Made(SmallPlan()), {.horizon_requests = 0});
  EXPECT_EQ(controller.Choose({.bytes_per_second = 1e9, .rtt_seconds = 1e-3}).index, 5u);  // raw
  EXPECT_EQ(controller.Choose({.bytes_per_second = 5e6, .rtt_seconds = 1e-3}).index, 4u);  // jpeg
  EXPECT_EQ(controller.Choose({.bytes_per_second = 3e4, .rtt_seconds = 1e-3}).index, 2u);  // fewest bytes
  EXPECT_EQ(controller.Choose({.bytes_per_second = 3e4, .rtt_seconds = 1e-3}, {.min_accuracy = 75}).index, 3u);
  EXPECT_EQ(controller.Choose({.bytes_per_second = 100, .rtt_seconds = 1e-3}).index, 0u);  // local
  // A watt of idling for so long costs more than computing, until joules count.
  const ChannelState slow = {.bytes_per_second = 1e4, .rtt_seconds = 0.1};
  EXPECT_EQ(controller.Choose(slow, {.min_accuracy = 75}).index, 0u);
  ChannelState empty_battery = slow;
  empty_battery.seconds_per_joule = 1e6;
  EXPECT_EQ(controller.Choose(empty_battery, {.min_accuracy = 75}).index, 3u);
  // A deadline overrules the joules.
  EXPECT_EQ(controller.Choose(empty_battery, {.deadline_seconds = 0.21, .min_accuracy = 75}).index, 0u);
}

TEST(Controller, HoldsDeadlinesAgainstThePessimisticValues) {
  Controller controller(Made(SmallPlan()), {.horizon_requests = 0});
  ChannelState channel = {.bytes_per_second = 1e5, .rtt_seconds = 0.01};
  const Request request = {.deadline_seconds = 0.25, .min_accuracy = 75};
  EXPECT_EQ(controller.Choose(channel, request).index, 3u);
  channel.low_bytes_per_second = 4e3;
  EXPECT_EQ(controller.Choose(channel, request).index, 0u);
  channel.low_bytes_per_second = 0;
  channel.high_rtt_seconds = 0.5;
  EXPECT_EQ(controller.Choose(channel, request).index, 0u);
}

TEST(Controller, FallsBackToTheFastestAndToTheMostAccurate) {
  Controller controller(Made(SmallPlan()), {.horizon_requests = 0});
  Choice choice = controller.Choose(kFast, {.deadline_seconds = 1e-4, .min_accuracy = 79});
  EXPECT_EQ(choice.index, 5u);
  EXPECT_FALSE(choice.meets_deadline);
  EXPECT_TRUE(choice.meets_accuracy);
  choice = controller.Choose(kFast, {.min_accuracy = 99});
  EXPECT_EQ(choice.entry->accuracy, 80);
  EXPECT_TRUE(choice.meets_deadline);
  EXPECT_FALSE(choice.meets_accuracy);
  choice = controller.Choose(kFast, {.deadline_seconds = -1, .min_accuracy = kInfinity});
  EXPECT_FALSE(choice.meets_deadline);
  EXPECT_FALSE(choice.meets_accuracy);
}

TEST(Controller, SaysWhenToGiveUpOnAnAnswerAndWhatToRunThen) {
  PlanSpec spec;
  spec.models = {{"layer2", "m.strait", 1}};
  const auto entry = [](Route route, const char* split, double device, double bytes, double accuracy) {
    PlanEntry e;
    e.route = route;
    e.split = split;
    e.device_seconds = device;
    e.bytes = bytes;
    e.accuracy = accuracy;
    return e;
  };
  spec.entries = {entry(Route::kSplit, "layer2", 0.01, 1000, 80), entry(Route::kLocal, "", 0.5, 0, 70),
                  entry(Route::kLocal, "", 0.9, 0, 90)};
  spec.idle_watts = 4;
  spec.entries[1].device_joules = 2;
  Controller controller(Made(spec));
  ChannelState channel = {.bytes_per_second = 1e5, .rtt_seconds = 0.02};
  channel.low_bytes_per_second = 1e4;
  Choice choice = controller.Choose(channel);
  ASSERT_EQ(choice.index, 0u);
  EXPECT_EQ(choice.fallback, &controller.plan().entries()[1]);
  EXPECT_DOUBLE_EQ(choice.give_up_seconds, 0.01 + 0.02 + 0.1);
  choice = controller.Choose(channel, {.min_accuracy = 75});
  ASSERT_EQ(choice.index, 0u);
  EXPECT_EQ(choice.fallback, &controller.plan().entries()[2]);
  channel.seconds_per_joule = 3;  // a battery, and waiting that costs less of it than computing
  choice = controller.Choose(channel, {.deadline_seconds = 0.2});
  ASSERT_EQ(choice.index, 0u);
  EXPECT_DOUBLE_EQ(choice.give_up_seconds, 0.13 + 0.5 * (3 * 2.0) / (1 + 3 * 4.0));
  choice = controller.Choose({}, {});
  EXPECT_EQ(choice.entry->route, Route::kLocal);
  EXPECT_EQ(choice.fallback, nullptr);
  EXPECT_EQ(choice.give_up_seconds, kInfinity);
  spec.entries.resize(1);
  Controller remote_only(Made(spec));
  choice = remote_only.Choose(channel);
  EXPECT_EQ(choice.fallback, nullptr);
  EXPECT_EQ(choice.give_up_seconds, kInfinity);
}

TEST(Controller, StaysLocalWithoutAChannel) {
  Controller controller(Made(SmallPlan()));
  for (const double rate : {0.0, -1.0, kNan, -kInfinity}) {
    const Choice choice = controller.Choose({.bytes_per_second = rate, .rtt_seconds = 0.01}, {.min_accuracy = 99});
    EXPECT_EQ(choice.entry->route, Route::kLocal);
    EXPECT_DOUBLE_EQ(choice.latency_seconds, 0.2);
  }
  for (const double rtt : {-1.0, kNan, kInfinity}) {
    EXPECT_EQ(controller.Choose({.bytes_per_second = 1e6, .rtt_seconds = rtt}).entry->route, Route::kLocal);
  }
}

TEST(Controller, SendsTheFewestBytesWithoutAChannelAndWithoutALocalEntry) {
  PlanSpec spec = SmallPlan();
  spec.entries.erase(spec.entries.begin());
  Controller controller(Made(spec));
  Choice choice = controller.Choose({});
  EXPECT_EQ(choice.entry->bytes, 400);
  EXPECT_EQ(choice.latency_seconds, kInfinity);
  EXPECT_FALSE(choice.meets_deadline);
  EXPECT_EQ(controller.Choose({}, {.min_accuracy = 78}).entry->bytes, 900);
  EXPECT_EQ(controller.Choose({}, {.min_accuracy = 90}).entry->accuracy, 80);
}

TEST(Controller, UsesTheSmallestBatchThatHoldsTheRequest) {
  PlanSpec spec = SmallPlan();
  spec.entries = {LocalEntry(0.1, 1, 80, 1), LocalEntry(0.25, 3, 80, 4), LocalEntry(0.4, 5, 80, 8),
                  SplitEntry("layer1", 1, 0.01, 0.01, 10, 1, 80, 16)};
  spec.switch_seconds = 0;
  Controller controller(Made(spec));
  EXPECT_EQ(controller.Choose(kFast, {.batch = 1}).index, 0u);
  EXPECT_EQ(controller.Choose(kFast, {.batch = 2}).index, 1u);
  EXPECT_EQ(controller.Choose(kFast, {.batch = 5}).index, 2u);
  EXPECT_EQ(controller.Choose(kFast, {.batch = 9}).index, 3u);
  EXPECT_EQ(controller.Choose(kFast, {.batch = -3}).index, 0u);
  Choice choice = controller.Choose(kFast, {.batch = 33});
  EXPECT_EQ(choice.index, 3u);
  EXPECT_DOUBLE_EQ(choice.latency_seconds, 3 * controller.Choose(kFast, {.batch = 9}).latency_seconds);
  choice = controller.Choose({}, {.deadline_seconds = 0.7, .batch = 9});  // only batches that run here
  EXPECT_EQ(choice.index, 2u);
  EXPECT_DOUBLE_EQ(choice.latency_seconds, 0.8);
  EXPECT_FALSE(choice.meets_deadline);
  EXPECT_EQ(controller.Choose(kFast, {.batch = std::numeric_limits<int>::max()}).index, 3u);
}

TEST(Controller, KeepsAChoiceUntilASwitchPays) {
  PlanSpec spec = SmallPlan();
  spec.switch_seconds = 0.16;
  spec.entries = {SplitEntry("layer1", 1, 0.02, 0, 4000, 0.1, 80), SplitEntry("layer1", 0, 0.02, 0, 3000, 0.1, 79),
                  LocalEntry(0.06, 1, 80)};
  Controller controller(Made(spec), {.horizon_requests = 16});
  const auto at = [&](double rate) {
    return controller.Choose({.bytes_per_second = rate, .rtt_seconds = 0}, {.min_accuracy = 80});
  };
  EXPECT_FALSE(at(1e6).switched);
  EXPECT_EQ(at(4000 / 0.045).index, 0u);  // 5 ms worse than local: less than the 10 ms a switch must earn
  Choice choice = at(4000 / 0.055);
  EXPECT_EQ(choice.index, 2u);
  EXPECT_TRUE(choice.switched);
  EXPECT_EQ(at(4000 / 0.035).index, 2u);
  EXPECT_FALSE(at(4000 / 0.035).switched);
  controller.Reset();
  choice = at(4000 / 0.035);
  EXPECT_EQ(choice.index, 0u);
  EXPECT_FALSE(choice.switched);
  // Another quality of the same split is no switch.
  choice = controller.Choose({.bytes_per_second = 4000 / 0.035, .rtt_seconds = 0});
  EXPECT_EQ(choice.index, 1u);
  EXPECT_FALSE(choice.switched);
}

TEST(Controller, TellsWhatASwitchCostsButDoesNotStayForIt) {
  PlanSpec spec = SmallPlan();
  spec.switch_seconds = 0.2;
  spec.entries = {SplitEntry("layer1", 1, 0.02, 0, 4000, 0.1, 80), LocalEntry(0.15, 1, 80)};
  Controller controller(Made(spec));
  const Request request = {.deadline_seconds = 0.16};
  EXPECT_EQ(controller.Choose({}, request).index, 1u);
  const ChannelState back = {.bytes_per_second = 4e6, .rtt_seconds = 0};
  // Too late once, in time from then on.
  Choice choice = controller.Choose(back, request);
  EXPECT_EQ(choice.index, 0u);
  EXPECT_TRUE(choice.switched);
  EXPECT_DOUBLE_EQ(choice.latency_seconds, 0.221);
  EXPECT_FALSE(choice.meets_deadline);
  EXPECT_GE(choice.give_up_seconds, choice.latency_seconds);
  choice = controller.Choose(back, request);
  EXPECT_EQ(choice.index, 0u);
  EXPECT_DOUBLE_EQ(choice.latency_seconds, 0.021);
  EXPECT_TRUE(choice.meets_deadline);
  // A deadline is no matter of taste: what would not pay by its latency is taken where the other is late.
  EXPECT_EQ(
      controller.Choose({.bytes_per_second = 4000 / 0.135, .rtt_seconds = 0}, {.deadline_seconds = 0.152}).index,
      1u);
}

TEST(Controller, HoldsDeadlinesAgainstWhatIsExpectedWhenNothingElseIsLeft) {
  PlanSpec spec = SmallPlan();
  spec.switch_seconds = 0;
  spec.entries = {SplitEntry("layer1", 1, 0.02, 0, 4000, 0.1, 80), SplitEntry("layer1", 0, 0.02, 0, 2000, 0.2, 80),
                  LocalEntry(1, 1, 80)};
  Controller controller(Made(spec));
  // 60 and 40 ms are expected, 0.2 and 0.4 J; a hundred times slower both would be slower than running here.
  const ChannelState channel = {
      .bytes_per_second = 1e5, .rtt_seconds = 0, .seconds_per_joule = 1, .low_bytes_per_second = 1e3};
  const auto within = [&](double deadline) { return controller.Choose(channel, {.deadline_seconds = deadline}); };
  EXPECT_EQ(within(0.07).index, 0u);
  EXPECT_FALSE(within(0.07).meets_deadline);
  EXPECT_EQ(within(0.05).index, 1u);
  EXPECT_EQ(within(0.03).index, 1u);  // the fastest
  EXPECT_EQ(within(1.1).index, 2u);   // pessimism holds while something is in time by it
  EXPECT_TRUE(within(1.1).meets_deadline);
}

TEST(Controller, DoesNotFlapOnANoisyRate) {
  PlanSpec spec = SmallPlan();
  spec.entries = {SplitEntry("layer1", 1, 0.02, 0, 4000, 0.1, 80), LocalEntry(0.06, 1, 80)};
  std::mt19937 random(3);
  std::uniform_real_distribution<double> jitter(0.98, 1.02);
  int held = 0, free = 0;
  Controller holding(Made(spec)), flapping(Made(spec), {.horizon_requests = 0});
  for (int i = 0; i < 1000; ++i) {
    const ChannelState channel = {.bytes_per_second = 1e5 * jitter(random), .rtt_seconds = 0};
    held += holding.Choose(channel).switched;
    free += flapping.Choose(channel).switched;
  }
  EXPECT_EQ(held, 0);
  EXPECT_GT(free, 100);
}

TEST(Controller, AnswersEveryDouble) {
  const double kOdd[] = {0,
                         -0.0,
                         1,
                         -1,
                         1e-320,
                         1e308,
                         -1e308,
                         kInfinity,
                         -kInfinity,
                         kNan,
                         0.999999999,
                         std::numeric_limits<double>::min(),
                         std::numeric_limits<double>::epsilon()};
  for (const bool with_local : {true, false}) {
    PlanSpec spec = RandomPlan(200, 5, false, with_local ? 0.1 : 0);
    spec.entries[0] = SplitEntry("split0", 0, 0, 0, 0, 0, 0);
    spec.entries[1] = SplitEntry("split0", 0, 1e9, 1e9, 1e15, 1e12, 100);
    const auto plan = Made(spec);
    Controller controller(plan, {.horizon_requests = kNan});
    std::mt19937 random(7);
    const auto odd = [&] { return kOdd[random() % std::size(kOdd)]; };
    for (int i = 0; i < 20000; ++i) {
      const ChannelState channel = {odd(), odd(), odd(), odd(), odd(), odd()};
      const Request request = {odd(), odd(), static_cast<int>(random())};
      const Choice choice = controller.Choose(channel, request);
      ASSERT_LT(choice.index, plan->entries().size());
      ASSERT_EQ(choice.entry, &plan->entries()[choice.index]);
      ASSERT_FALSE(std::isnan(choice.latency_seconds));
      ASSERT_FALSE(std::isnan(choice.energy_joules));
      const bool channel_up =
          channel.bytes_per_second > 0 && channel.rtt_seconds >= 0 && channel.rtt_seconds < kInfinity;
      ASSERT_TRUE(channel_up || !with_local || choice.entry->route == Route::kLocal);
    }
  }
}

TEST(Controller, TakesEveryDoubleAsAnOption) {
  for (const double horizon : {kNan, kInfinity, -1.0, 1e-320, 0.0, 1e308}) {
    Controller controller(Made(SmallPlan()), {.horizon_requests = horizon});
    controller.Choose(kFast);
    EXPECT_NE(controller.Choose(kSlow).entry, nullptr);
  }
}

TEST(Controller, SharesAPlanAcrossThreads) {
  const auto plan = Made(RealisticPlan(2000, 9));
  std::vector<std::vector<size_t>> chosen(4);
  std::vector<std::thread> threads;
  for (auto& indices : chosen) {
    threads.emplace_back([&plan, &indices] {
      Controller controller(plan);
      std::mt19937 random(11);
      for (int i = 0; i < 500; ++i) {
        const Ask ask = RandomAsk(random);
        indices.push_back(controller.Choose(ask.channel, ask.request).index);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& indices : chosen) EXPECT_EQ(indices, chosen.front());
}

TEST(Controller, KeepsItsPlanAlive) {
  auto plan = Made(SmallPlan());
  Controller first(plan);
  plan.reset();
  Controller second = std::move(first);
  EXPECT_EQ(second.Choose(kFast).entry, &second.plan().entries()[second.Choose(kFast).index]);
}

}  // namespace
}  // namespace strait
