// Energy as the processor counts it, through the kernel's powercap interface (RAPL).
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace strait {

class EnergyMeter {
 public:
  // Sums the packages under `root`; nullopt where there are none or they cannot be read (some kernels let only
  // root).
  static std::optional<EnergyMeter> Open(const std::string& root = "/sys/class/powercap");

  // Joules since Open, of everything the packages do. A counter that began again from 0 is followed as long as it
  // is read once a round, which takes minutes.
  double Joules();

 private:
  struct Package {
    std::string counter;  // file of microjoules
    double range = 0;     // where it begins again
    double last = 0;
  };
  std::vector<Package> packages_;
  double microjoules_ = 0;
};

}  // namespace strait
