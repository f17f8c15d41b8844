#include "planner/clock_control.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>

#include "entropy/error.h"

namespace strait {
namespace {

bool Write(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "r+");  // never made anew: these files are the kernel's
  if (file == nullptr) return false;
  const bool written = std::fputs(text.c_str(), file) >= 0;
  return std::fclose(file) == 0 && written;  // the kernel refuses at close
}

}  // namespace

std::optional<ClockControl> ClockControl::Open(const std::string& root) {
  ClockControl control;
  std::error_code error;
  for (int core = 0;; ++core) {
    const std::string dir = root + "/cpu" + std::to_string(core) + "/cpufreq";
    if (!std::filesystem::exists(root + "/cpu" + std::to_string(core), error)) break;
    if (!std::filesystem::exists(dir, error)) continue;  // offline
    Core entry;
    entry.limit = dir + "/scaling_max_freq";
    std::ifstream(entry.limit) >> entry.before;
    if (entry.before.empty() || !Write(entry.limit, entry.before)) return std::nullopt;
    if (control.clocks_hz_.empty()) {
      std::ifstream steps(dir + "/scaling_available_frequencies");
      for (double khz = 0; steps >> khz;) control.clocks_hz_.push_back(1e3 * khz);
    }
    control.cores_.push_back(std::move(entry));
  }
  if (control.clocks_hz_.empty()) return std::nullopt;
  std::ranges::sort(control.clocks_hz_);
  return control;
}

ClockControl::ClockControl(ClockControl&& other) noexcept
    : cores_(std::exchange(other.cores_, {})), clocks_hz_(std::move(other.clocks_hz_)) {}

ClockControl::~ClockControl() {
  for (const Core& core : cores_) Write(core.limit, core.before);
}

Status ClockControl::Set(double hz) {
  for (const Core& core : cores_) {
    if (!Write(core.limit, std::to_string(static_cast<int64_t>(hz / 1e3)))) {
      return Error(StatusCode::kIo, core.limit, ": cannot be set to ", hz / 1e3, " kHz");
    }
  }
  return Status();
}

}  // namespace strait
