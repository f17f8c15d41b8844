// Measures on this machine what a device and a server take for every part of a split network.
#pragma once

#include <string>
#include <vector>

#include "planner/profile.h"
#include "strait/result.h"

namespace strait {

struct MeasureOptions {
  std::vector<std::string> run_dirs;  // their units, and data and network of the first
  std::string backbone_file;          // instead of the recipe's
  std::string data_spec;              // instead of the recipe's
  Role role = Role::kBoth;            // device: head, encode, compress; server: decode, tail, decompress
  std::vector<int> threads = {1};
  std::vector<int> batches = {1};
  std::vector<int> jpeg_qualities;
  int rounds = 15;        // times of each task; the file keeps median and quartiles
  std::string machine;    // in words; empty: the processor's name
  double time_scale = 1;  // as Profile::time_scale
  PowerModel power;
  bool idle_watts_given = false;  // else it is measured where there is a counter
  std::vector<double> clocks_hz;  // modelled clocks; empty: what cpufreq lets be set, if anything
};

// kInvalidArgument for options that contradict each other or that no profile holds.
Status CheckOptions(const MeasureOptions& options);

// For each clock and number of threads every task runs in turn, round after round, so that what disturbs the
// machine for a while disturbs all alike. On images of the recipe's validation data. Progress on stderr. Errors:
// those of options, runs, network and data; kModelMismatch; kUnsupported (data that are no images).
Result<Profile> Measure(const MeasureOptions& options);

}  // namespace strait
