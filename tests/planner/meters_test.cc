#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "planner/clock_control.h"
#include "planner/energy_meter.h"

namespace strait {
namespace {

namespace fs = std::filesystem;

class Meters : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("strait_meters_" + std::to_string(::getpid()));
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  std::string Read(const std::string& file) {
    std::string text;
    std::ifstream(root_ / file) >> text;
    return text;
  }

  fs::path root_;
};

TEST_F(Meters, EnergySumsPackagesAndFollowsCountersThatBeginAgain) {
  Write("intel-rapl:0/energy_uj", "9000000\n");
  Write("intel-rapl:0/max_energy_range_uj", "10000000\n");
  Write("intel-rapl:1/energy_uj", "0\n");
  Write("intel-rapl:1/max_energy_range_uj", "10000000\n");
  Write("intel-rapl:0:0/energy_uj", "5000000\n");  // part of package 0
  std::optional<EnergyMeter> meter = EnergyMeter::Open(root_.string());
  ASSERT_TRUE(meter.has_value());
  EXPECT_DOUBLE_EQ(meter->Joules(), 0);
  Write("intel-rapl:0/energy_uj", "1000000\n");
  Write("intel-rapl:1/energy_uj", "500000\n");
  EXPECT_DOUBLE_EQ(meter->Joules(), 2.5);
}

TEST_F(Meters, EnergyIsUnknownWithoutCounters) {
  EXPECT_FALSE(EnergyMeter::Open(root_.string()).has_value());
  EXPECT_FALSE(EnergyMeter::Open((root_ / "missing").string()).has_value());
}

TEST_F(Meters, ClocksAreSetOnEveryCoreAndPutBack) {
  for (const std::string core : {"cpu0", "cpu1"}) {
    Write(core + "/cpufreq/scaling_max_freq", "2400000");
    Write(core + "/cpufreq/scaling_available_frequencies", "2400000 1200000 600000 \n");
  }
  {
    std::optional<ClockControl> control = ClockControl::Open(root_.string());
    ASSERT_TRUE(control.has_value());
    EXPECT_EQ(control->clocks_hz(), (std::vector<double>{6e8, 1.2e9, 2.4e9}));
    ASSERT_TRUE(control->Set(1.2e9).ok());
    EXPECT_EQ(Read("cpu0/cpufreq/scaling_max_freq"), "1200000");
    EXPECT_EQ(Read("cpu1/cpufreq/scaling_max_freq"), "1200000");
  }
  EXPECT_EQ(Read("cpu0/cpufreq/scaling_max_freq"), "2400000");
  EXPECT_EQ(Read("cpu1/cpufreq/scaling_max_freq"), "2400000");
}

TEST_F(Meters, ClocksAreLeftAloneWhereTheyCannotBeListed) {
  EXPECT_FALSE(ClockControl::Open(root_.string()).has_value());
  Write("cpu0/cpufreq/scaling_max_freq", "2400000");
  EXPECT_FALSE(ClockControl::Open(root_.string()).has_value());
}

}  // namespace
}  // namespace strait
