// The clock of the processor's cores, where the kernel's cpufreq lets it be set.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "strait/status.h"

namespace strait {

class ClockControl {
 public:
  // nullopt where clocks cannot be listed or set (no driver, not root). Destruction puts back what was there.
  static std::optional<ClockControl> Open(const std::string& root = "/sys/devices/system/cpu");
  ClockControl(ClockControl&&) noexcept;
  ClockControl& operator=(ClockControl&&) = delete;
  ~ClockControl();

  const std::vector<double>& clocks_hz() const { return clocks_hz_; }  // ascending

  // Holds every core to at most this clock, which a busy core then has. Errors: kIo.
  Status Set(double hz);

 private:
  ClockControl() = default;

  struct Core {
    std::string limit;  // file of the highest clock allowed, in kHz
    std::string before;
  };
  std::vector<Core> cores_;
  std::vector<double> clocks_hz_;
};

}  // namespace strait
