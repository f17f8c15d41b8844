#include "planner/space.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/planner/sample_space.h"

namespace strait {
namespace {

using testing::SampleProfile;
using testing::SampleRates;
using testing::SampleSpace;

double Seconds(const Profile& profile, Task task, const std::string& place, double quality, int threads,
               int batch) {
  return TimingIndex(profile).Find(task, place, quality, threads, 0, batch)->seconds;
}

TEST(Space, AddsUpWhatEachRouteTakes) {
  const Profile device = SampleProfile(20), server = SampleProfile(1);
  const Space space = SampleSpace();
  ASSERT_EQ(space.num_places(), 6);  // local, raw, JPEG, three splits
  const int top = space.num_clocks() - 1;

  const PlanEntry local = space.Evaluate(0, {0, 0, 1, top});
  EXPECT_EQ(local.route, Route::kLocal);
  EXPECT_EQ(local.threads, 2);
  EXPECT_DOUBLE_EQ(local.device_seconds,
                   Seconds(device, Task::kPrepare, "", 0, 2, 1) + Seconds(device, Task::kNetwork, "", 0, 2, 1));
  EXPECT_EQ(local.bytes, 0);
  EXPECT_EQ(local.server_seconds, 0);
  EXPECT_EQ(local.accuracy, 86);

  const PlanEntry raw = space.Evaluate(1, {1, 0, 0, top});
  EXPECT_EQ(raw.split, "raw");
  EXPECT_EQ(raw.device_seconds, 0);
  EXPECT_EQ(raw.bytes, 4 * 49152);
  // The server runs with as many threads as it is fastest with.
  EXPECT_DOUBLE_EQ(raw.server_seconds,
                   Seconds(server, Task::kPrepare, "", 0, 2, 4) + Seconds(server, Task::kNetwork, "", 0, 2, 4));

  const PlanEntry jpeg = space.Evaluate(0, {2, 1, 0, top});
  EXPECT_EQ(jpeg.route, Route::kOffload);
  EXPECT_EQ(jpeg.quality, 50);
  EXPECT_DOUBLE_EQ(jpeg.device_seconds, Seconds(device, Task::kCompress, "jpeg", 50, 1, 1));

  const PlanEntry split = space.Evaluate(0, {4, 2, 0, top});
  EXPECT_EQ(split.split, "layer2");
  EXPECT_EQ(split.quality, 2);
  EXPECT_DOUBLE_EQ(split.device_seconds, Seconds(device, Task::kPrepare, "", 0, 1, 1) +
                                             Seconds(device, Task::kHead, "layer2", 0, 1, 1) +
                                             Seconds(device, Task::kEncode, "layer2", 2, 1, 1));
  EXPECT_DOUBLE_EQ(split.server_seconds, Seconds(server, Task::kDecode, "layer2", 2, 2, 1) +
                                             Seconds(server, Task::kTail, "layer2", 0, 2, 1));
  EXPECT_DOUBLE_EQ(split.bytes, SampleRates().splits[1].levels[2].bytes);
}

TEST(Space, SlowerClocksTakeLongerAndLessPower) {
  const Space space = SampleSpace();
  const PlanEntry fast = space.Evaluate(0, {0, 0, 0, 2}), slow = space.Evaluate(0, {0, 0, 0, 0});
  EXPECT_NEAR(slow.device_seconds, 3 * fast.device_seconds, 1e-12);
  const PowerModel power;
  EXPECT_NEAR(fast.device_joules,
              fast.device_seconds * (power.idle_watts + (power.busy_watts - power.idle_watts) / 4), 1e-12);
  EXPECT_NEAR(slow.device_joules,
              slow.device_seconds * (power.idle_watts + (power.busy_watts - power.idle_watts) / 4 / 27), 1e-12);
}

// The sample device with all its times at 1 and at 2 GHz, equal at both, and no joules.
Profile AtMeasuredClocks() {
  Profile device = SampleProfile(20);
  device.clock_measured = true;
  device.clocks_hz = {1e9, 2e9};
  std::vector<Timing> timings;
  for (Timing timing : device.timings) {
    for (const double hz : device.clocks_hz) {
      timing.clock_hz = hz;
      timings.push_back(timing);
    }
  }
  device.timings = timings;
  return device;
}

TEST(Space, TakesMeasuredClocksAndJoulesAsTheyAre) {
  Profile device = AtMeasuredClocks();
  for (Timing& timing : device.timings) timing.joules = timing.clock_hz * 1e-9;
  const Space space = Space::Make(device, SampleProfile(1), SampleRates()).value();
  EXPECT_EQ(space.num_clocks(), 2);
  const PlanEntry local = space.Evaluate(0, {0, 0, 0, 1});
  EXPECT_EQ(local.frequency_hz, 2e9);
  EXPECT_DOUBLE_EQ(local.device_joules, 4);  // preparing and running, 2 J each
  EXPECT_DOUBLE_EQ(local.device_seconds, space.Evaluate(0, {0, 0, 0, 0}).device_seconds);
}

TEST(Space, MeasuredClocksWithoutACounterTakeThePowerOfTheModel) {
  const Profile device = AtMeasuredClocks();
  const Space space = Space::Make(device, SampleProfile(1), SampleRates()).value();
  const PlanEntry slow = space.Evaluate(0, {0, 0, 0, 0}), fast = space.Evaluate(0, {0, 0, 0, 1});
  EXPECT_DOUBLE_EQ(slow.device_seconds, fast.device_seconds);  // as measured
  EXPECT_NEAR(slow.device_joules / slow.device_seconds, 2.5 + 3.5 / 4 / 8, 1e-12);
  EXPECT_NEAR(fast.device_joules / fast.device_seconds, 2.5 + 3.5 / 4, 1e-12);
}

TEST(Space, JoulesOfACounterAreScaledToModelledClocks) {
  Profile device = SampleProfile(20);
  for (Timing& timing : device.timings) timing.joules = 1;
  const Space space = Space::Make(device, SampleProfile(1), SampleRates()).value();
  const PlanEntry slow = space.Evaluate(0, {0, 0, 0, 0}), fast = space.Evaluate(0, {0, 0, 0, 2});
  EXPECT_DOUBLE_EQ(fast.device_joules, 2);  // preparing and running
  EXPECT_NEAR(slow.device_joules, 2 * 3 * (2.5 + 3.5 / 4 / 27) / (2.5 + 3.5 / 4), 1e-12);
}

TEST(Space, InterpolatesQualitiesBetweenLevels) {
  const Space space = SampleSpace({}, {.quality_step = 0.25});
  ASSERT_EQ(space.num_qualities(4), 13);
  const PlanEntry low = space.Evaluate(0, {4, 4, 0, 0}), high = space.Evaluate(0, {4, 8, 0, 0});
  const PlanEntry middle = space.Evaluate(0, {4, 6, 0, 0});
  EXPECT_EQ(middle.quality, 1.5);
  EXPECT_NEAR(middle.bytes, std::sqrt(low.bytes * high.bytes), 1e-9);
  EXPECT_NEAR(middle.accuracy, (low.accuracy + high.accuracy) / 2, 1e-12);
  EXPECT_NEAR(middle.device_seconds, (low.device_seconds + high.device_seconds) / 2, 1e-15);
  EXPECT_EQ(low.bytes, SampleRates().splits[1].levels[1].bytes);
}

TEST(Space, RefusesProfilesThatDoNotFitNamingWhatIsMissing) {
  const auto message = [](const Profile& device, const Profile& server, const Rates& rates,
                          const SpaceOptions& options = {}) {
    const Result<Space> space = Space::Make(device, server, rates, options);
    EXPECT_FALSE(space.ok());
    return space.ok() ? "" : space.status().message();
  };
  Profile other = SampleProfile(1);
  other.backbone_hash = "f00d";
  EXPECT_NE(message(SampleProfile(20), other, SampleRates()).find("f00d"), std::string::npos);
  Rates foreign = SampleRates();
  foreign.splits[2].backbone_hash = "beef";
  EXPECT_NE(message(SampleProfile(20), SampleProfile(1), foreign).find("layer3.strait"), std::string::npos);
  Profile older = SampleProfile(1);
  older.units[1].model_id = 6;
  EXPECT_NE(message(SampleProfile(20), older, SampleRates())
                .find("layer2.strait: is not the unit at layer2 that the server profile is of"),
            std::string::npos);
  Profile short_one = SampleProfile(20);
  std::erase_if(short_one.timings, [](const Timing& t) { return t.task == Task::kHead && t.place == "layer2"; });
  EXPECT_NE(
      message(short_one, SampleProfile(1), SampleRates()).find("device profile: has no time of head at layer2"),
      std::string::npos);
  EXPECT_NE(
      message(SampleProfile(20, {.batches = {2}}), SampleProfile(1, {.batches = {3}}), SampleRates()).find("batch"),
      std::string::npos);
  EXPECT_NE(
      message(SampleProfile(20), SampleProfile(1), SampleRates(), {.quality_step = 0.3}).find("--quality-step"),
      std::string::npos);
}

}  // namespace
}  // namespace strait
