#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "strait/controller.h"

namespace strait {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Link {
  double bytes_per_second, rtt_seconds;
  double Seconds(double bytes) const { return rtt_seconds + bytes / bytes_per_second; }
};

double Seconds(const ChannelState& state, double bytes) {
  return state.rtt_seconds + bytes / state.bytes_per_second;
}

// Transfers of mixed sizes every 0.2 s with jitter of a few percent.
class Traffic {
 public:
  explicit Traffic(uint32_t seed, double jitter = 0.05) : random_(seed), jitter_(0, jitter) {}

  double now = 100;

  double MixedBytes() { return std::exp(std::uniform_real_distribution(std::log(50.0), std::log(2e5))(random_)); }

  void Send(LinkEstimator& estimator, const Link& link, double bytes, double factor = 1) {
    now += 0.2;
    estimator.Observe(now, bytes, link.Seconds(bytes) * factor * std::exp(jitter_(random_)));
  }
  void SendMixed(LinkEstimator& estimator, const Link& link, int transfers) {
    for (int i = 0; i < transfers; ++i) Send(estimator, link, MixedBytes());
  }

 private:
  std::mt19937 random_;
  std::normal_distribution<double> jitter_;
};

void ExpectFactor(double value, double wanted, double factor) {
  EXPECT_LT(value, wanted * factor);
  EXPECT_GT(value, wanted / factor);
}

TEST(LinkEstimator, ConvergesOnConstantLinksWithMixedSizes) {
  const Link kLinks[] = {{1e6, 0.05}, {1e4, 0.2}, {1e8, 0.001}, {3e5, 0.6}, {2e7, 0.02}};
  for (const Link& link : kLinks) {
    LinkEstimator estimator;
    Traffic traffic(1);
    traffic.SendMixed(estimator, link, 60);
    const ChannelState state = estimator.State(traffic.now);
    for (const double bytes : {100.0, 1e4, 2e5}) ExpectFactor(Seconds(state, bytes), link.Seconds(bytes), 1.15);
    ExpectFactor(state.rtt_seconds, link.rtt_seconds, 1.25);
    // A rate shows only where bytes take time.
    if (2e5 / link.bytes_per_second > link.rtt_seconds / 2)
      ExpectFactor(state.bytes_per_second, link.bytes_per_second, 1.25);
  }
}

TEST(LinkEstimator, IsNearAfterThreeTransfers) {
  const Link link{2e4, 0.3};
  LinkEstimator estimator;
  Traffic traffic(2);
  for (const double bytes : {100.0, 1e5, 1e4}) traffic.Send(estimator, link, bytes);
  const ChannelState state = estimator.State(traffic.now);
  ExpectFactor(state.bytes_per_second, link.bytes_per_second, 1.5);
  ExpectFactor(state.rtt_seconds, link.rtt_seconds, 1.5);
}

TEST(LinkEstimator, FollowsATenfoldChangeWithinThreeTransfers) {
  for (const double factor : {0.1, 10.0}) {
    const Link before{1e6, 0.02}, after{1e6 * factor, 0.02};
    for (uint32_t seed = 0; seed < 20; ++seed) {
      LinkEstimator estimator({.half_life_seconds = 4});
      Traffic traffic(seed);
      traffic.SendMixed(estimator, before, 60);
      for (int i = 0; i < 3; ++i) traffic.Send(estimator, after, 1e5);
      ExpectFactor(Seconds(estimator.State(traffic.now), 1e5), after.Seconds(1e5), 1.25);
    }
  }
}

TEST(LinkEstimator, FollowsAChangeThatOnlyLargeMessagesShow) {
  const Link before{1e6, 0.05}, after{1e5, 0.05};
  LinkEstimator estimator;
  Traffic traffic(4);
  traffic.SendMixed(estimator, before, 60);
  for (int i = 0; i < 3; ++i) {
    traffic.Send(estimator, after, 100);
    traffic.Send(estimator, after, 1e5);
  }
  ExpectFactor(Seconds(estimator.State(traffic.now), 1e5), after.Seconds(1e5), 1.25);
  ExpectFactor(Seconds(estimator.State(traffic.now), 100), after.Seconds(100), 1.25);
}

// Stated bound: no more than a tenth at this half-life; a shorter one believes more of it.
TEST(LinkEstimator, IsMovedLittleByOneOutlier) {
  const Link link{1e6, 0.05};
  for (const double factor : {20.0, 0.05}) {
    for (const double bytes : {100.0, 2e4, 2e5}) {
      LinkEstimator estimator({.half_life_seconds = 4});
      Traffic traffic(5);
      traffic.SendMixed(estimator, link, 60);
      const ChannelState before = estimator.State(traffic.now);
      traffic.Send(estimator, link, bytes, factor);
      const ChannelState after = estimator.State(traffic.now);
      ExpectFactor(after.bytes_per_second, before.bytes_per_second, 1.1);
      ExpectFactor(after.rtt_seconds, before.rtt_seconds, 1.1);
      // Nor do outliers that ordinary transfers come between.
      for (int i = 0; i < 10; ++i) {
        traffic.SendMixed(estimator, link, 9);
        traffic.Send(estimator, link, bytes, factor);
      }
      ExpectFactor(estimator.State(traffic.now).bytes_per_second, link.bytes_per_second, 1.4);
      ExpectFactor(estimator.State(traffic.now).rtt_seconds, link.rtt_seconds, 1.4);
    }
  }
}

TEST(LinkEstimator, PredictsTheTimeOfTheOnlySizeItSees) {
  for (const double bytes : {1.0, 500.0, 1e4, 1e7}) {
    const Link link{3e5, 0.08};
    LinkEstimator estimator;
    Traffic traffic(6);
    for (int i = 0; i < 5000; ++i) {
      traffic.Send(estimator, link, bytes);
      const ChannelState state = estimator.State(traffic.now);
      ASSERT_TRUE(std::isfinite(state.bytes_per_second) && std::isfinite(state.rtt_seconds));
      if (i > 20) {
        ASSERT_NEAR(Seconds(state, bytes) / link.Seconds(bytes), 1, 0.15);
        const double pessimistic = state.high_rtt_seconds + bytes / state.low_bytes_per_second;
        ASSERT_GE(pessimistic, Seconds(state, bytes));
        ASSERT_LT(pessimistic, Seconds(state, bytes) * 1.5);
      }
    }
    const ChannelState state = estimator.State(traffic.now);
    EXPECT_GT(state.bytes_per_second, 1e3);
    EXPECT_LT(state.bytes_per_second, 1e8);
    EXPECT_GT(state.rtt_seconds, 1e-4);
    EXPECT_LT(state.rtt_seconds, 100);
  }
}

TEST(LinkEstimator, LearnsNothingOfTheRateFromTinyMessages) {
  const Link link{1e6, 0.05};
  LinkEstimator estimator;
  Traffic traffic(7);
  traffic.SendMixed(estimator, link, 60);
  const ChannelState before = estimator.State(traffic.now);
  for (int i = 0; i < 50; ++i) traffic.Send(estimator, {1e6, 0.07}, 10);
  const ChannelState after = estimator.State(traffic.now);
  ExpectFactor(after.rtt_seconds, 0.07, 1.1);
  ExpectFactor(after.bytes_per_second, before.bytes_per_second, 1.2);
  // The next large message moves the rate more than it would have before.
  const double slow = 0.07 + 2e5 / 6e5;
  LinkEstimator fresh;
  Traffic same(7);
  same.SendMixed(fresh, link, 60);
  fresh.Observe(same.now + 0.2, 2e5, slow);
  estimator.Observe(traffic.now + 0.2, 2e5, slow);
  EXPECT_LT(estimator.State(traffic.now + 0.2).bytes_per_second / after.bytes_per_second,
            fresh.State(same.now + 0.2).bytes_per_second / before.bytes_per_second);
}

TEST(LinkEstimator, GivesPessimisticValuesThatWidenWithTime) {
  LinkEstimator estimator;
  const ChannelState prior = estimator.State(0);
  ExpectFactor(prior.bytes_per_second, 1e6, 1.001);
  ExpectFactor(prior.rtt_seconds, 0.05, 1.001);
  EXPECT_LT(prior.low_bytes_per_second, prior.bytes_per_second / 2);
  Traffic traffic(8);
  traffic.SendMixed(estimator, {1e6, 0.05}, 60);
  double rate = kInfinity, rtt = 0;
  for (const double later : {0.0, 4.0, 30.0, 300.0}) {
    const ChannelState state = estimator.State(traffic.now + later);
    EXPECT_LT(state.low_bytes_per_second, rate);
    EXPECT_GT(state.high_rtt_seconds, rtt);
    EXPECT_EQ(state.bytes_per_second, estimator.State(traffic.now).bytes_per_second);
    rate = state.low_bytes_per_second;
    rtt = state.high_rtt_seconds;
  }
  const ChannelState forgotten = estimator.State(1e300);
  EXPECT_GT(forgotten.low_bytes_per_second, 1e4);
  EXPECT_LT(forgotten.high_rtt_seconds, 5);
}

TEST(LinkEstimator, IsPassedByAboutOneTransferInSix) {
  LinkEstimator estimator;
  Traffic traffic(9, 0.25);
  int longer = 0;
  const Link link{1e6, 0.03};
  std::mt19937 random(10);
  std::normal_distribution<double> jitter(0, 0.25);
  for (int i = 0; i < 4000; ++i) {
    const double bytes = 3e4;
    const ChannelState state = estimator.State(traffic.now);
    const double seconds = link.Seconds(bytes) * std::exp(jitter(random));
    if (i >= 100) longer += seconds > state.high_rtt_seconds + bytes / state.low_bytes_per_second;
    traffic.now += 0.2;
    estimator.Observe(traffic.now, bytes, seconds);
  }
  EXPECT_NEAR(longer / 3900.0, 0.16, 0.04);
}

TEST(LinkEstimator, TakesATimeoutForALongerTime) {
  LinkEstimator estimator;
  Traffic traffic(11);
  traffic.SendMixed(estimator, {1e6, 0.05}, 60);
  const ChannelState before = estimator.State(traffic.now);
  // Sooner than it would be back anyway: nothing.
  estimator.ObserveTimeout(traffic.now, 1e5, 0.01);
  ExpectFactor(Seconds(estimator.State(traffic.now), 1e5), Seconds(before, 1e5), 1.01);
  double last = Seconds(estimator.State(traffic.now), 1e5);
  for (int i = 0; i < 5; ++i) {
    traffic.now += 1;
    estimator.ObserveTimeout(traffic.now, 1e5, 1);
    const double seconds = Seconds(estimator.State(traffic.now), 1e5);
    EXPECT_GT(seconds, last);
    last = seconds;
  }
  EXPECT_GT(last, 1);
  EXPECT_LT(last, 100);
  traffic.SendMixed(estimator, {1e6, 0.05}, 20);
  ExpectFactor(Seconds(estimator.State(traffic.now), 1e5), 0.15, 1.3);
}

TEST(LinkEstimator, AsksForAProbeBeforeTheFirstTransferAndAfterAPause) {
  LinkEstimator estimator({.half_life_seconds = 3});
  EXPECT_TRUE(estimator.NeedsProbe(0));
  estimator.Observe(50, 100, 0.1);
  EXPECT_FALSE(estimator.NeedsProbe(50));
  EXPECT_FALSE(estimator.NeedsProbe(51.5));
  EXPECT_TRUE(estimator.NeedsProbe(51.6));
  estimator.ObserveTimeout(57, 100, 0.5);
  EXPECT_FALSE(estimator.NeedsProbe(58));
  EXPECT_FALSE(estimator.NeedsProbe(kNan));
}

TEST(LinkEstimator, IgnoresGarbage) {
  LinkEstimator estimator, untouched;
  Traffic traffic(12), same(12);
  traffic.SendMixed(estimator, {1e6, 0.05}, 20);
  same.SendMixed(untouched, {1e6, 0.05}, 20);
  for (const double bad : {0.0, -1.0, kNan, kInfinity, -kInfinity}) {
    for (const auto method : {&LinkEstimator::Observe, &LinkEstimator::ObserveTimeout}) {
      (estimator.*method)(traffic.now, bad, 1);
      (estimator.*method)(traffic.now, 100, bad);
      if (!std::isfinite(bad)) (estimator.*method)(bad, 100, 1);
    }
  }
  const ChannelState a = estimator.State(traffic.now), b = untouched.State(same.now);
  EXPECT_EQ(a.bytes_per_second, b.bytes_per_second);
  EXPECT_EQ(a.rtt_seconds, b.rtt_seconds);
  EXPECT_EQ(a.low_bytes_per_second, b.low_bytes_per_second);
}

TEST(LinkEstimator, StaysFiniteWhateverItIsFed) {
  const double kOdd[] = {1e-320, 1e-9, 1, 1e5, 1e15, 1e308, 0.01, 0.5, 3};
  std::mt19937 random(13);
  const auto odd = [&] { return kOdd[random() % std::size(kOdd)]; };
  for (const double option : {kNan, 0.0, -1.0, kInfinity, 1e-320, 1e308}) {
    LinkEstimator estimator({.bytes_per_second = option, .rtt_seconds = option, .half_life_seconds = option});
    for (int i = 0; i < 3000; ++i) {
      const double now = random() % 4 != 0 ? i : odd() * (random() % 2 != 0 ? 1 : -1);
      if (random() % 3 != 0)
        estimator.Observe(now, odd(), odd());
      else
        estimator.ObserveTimeout(now, odd(), odd());
      for (const double then : {now, kNan, kInfinity, -kInfinity}) {
        const ChannelState state = estimator.State(then);
        ASSERT_TRUE(std::isfinite(state.bytes_per_second) && state.bytes_per_second > 0);
        ASSERT_TRUE(std::isfinite(state.rtt_seconds) && state.rtt_seconds > 0);
        ASSERT_TRUE(state.low_bytes_per_second > 0 && state.low_bytes_per_second <= state.bytes_per_second);
        ASSERT_TRUE(std::isfinite(state.high_rtt_seconds) && state.high_rtt_seconds >= state.rtt_seconds);
      }
    }
  }
}

TEST(LinkEstimator, GivesTheControllerAStateItCanUse) {
  LinkEstimator estimator;
  estimator.Observe(0, 1000, 0.1);
  const ChannelState state = estimator.State(0);
  EXPECT_EQ(state.server_load, 0);
  EXPECT_EQ(state.seconds_per_joule, 0);
}

}  // namespace
}  // namespace strait
