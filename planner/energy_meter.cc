#include "planner/energy_meter.h"

#include <filesystem>
#include <fstream>

namespace strait {
namespace {

std::optional<double> ReadNumber(const std::string& path) {
  std::ifstream file(path);
  double value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<EnergyMeter> EnergyMeter::Open(const std::string& root) {
  EnergyMeter meter;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root, error)) {
    // "intel-rapl:0" is a package (on AMD too), "intel-rapl:0:1" a part of it.
    const std::string name = entry.path().filename().string();
    if (name.rfind("intel-rapl:", 0) != 0 || name.find(':', 11) != std::string::npos) continue;
    Package package = {.counter = entry.path().string() + "/energy_uj"};
    const std::optional<double> now = ReadNumber(package.counter);
    const std::optional<double> range = ReadNumber(entry.path().string() + "/max_energy_range_uj");
    if (!now || !range) return std::nullopt;
    package.last = *now;
    package.range = *range;
    meter.packages_.push_back(std::move(package));
  }
  if (meter.packages_.empty()) return std::nullopt;
  return meter;
}

double EnergyMeter::Joules() {
  for (Package& package : packages_) {
    const std::optional<double> now = ReadNumber(package.counter);
    if (!now) continue;
    microjoules_ += *now - package.last + (*now < package.last ? package.range : 0);
    package.last = *now;
  }
  return 1e-6 * microjoules_;
}

}  // namespace strait
