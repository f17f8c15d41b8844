// Profiles and rates of a made-up network with three splits, as a slow device and a fast server would have them.
#pragma once

#include <string>
#include <vector>

#include "planner/profile.h"
#include "planner/rates.h"
#include "planner/space.h"

namespace strait::testing {

struct SampleSize {
  int levels = 4;
  std::vector<int> threads = {1, 2};
  std::vector<int> batches = {1, 4};
  int clocks = 3;  // modelled
};

inline const std::vector<std::string>& SampleSplits() {
  static const std::vector<std::string> splits = {"layer1", "layer2", "layer3"};
  return splits;
}

inline Rates SampleRates(const SampleSize& size = {}) {
  Rates rates;
  rates.unsplit_accuracy = 86;
  rates.raw_bytes = 49152;
  rates.jpeg = {{10, 1000, 84}, {50, 2600, 85.5}};
  double bytes = 60;
  for (const std::string& split : SampleSplits()) {
    SplitRates one = {
        .split = split, .model_file = split + ".strait", .model_id = 7, .backbone_hash = "feed", .levels = {}};
    for (int level = 0; level < size.levels; ++level) {
      const double share = (level + 1.0) / size.levels;
      one.levels.push_back({static_cast<double>(level), bytes * (1 + 4 * share), 80 + 5 * share});
    }
    rates.splits.push_back(one);
    bytes *= 0.6;  // deeper features are smaller
  }
  return rates;
}

// `slowness` 1 is a server, 20 a small device.
inline Profile SampleProfile(double slowness, const SampleSize& size = {}) {
  Profile profile;
  profile.machine = slowness > 1 ? "small device" : "server";
  profile.backbone_hash = "feed";
  profile.cores = 4;
  for (int i = 1; i <= size.clocks && slowness > 1; ++i) profile.clocks_hz.push_back(2e9 * i / size.clocks);
  for (const std::string& split : SampleSplits()) profile.units.push_back({split, 7});
  for (const int threads : size.threads) {
    for (const int batch : size.batches) {
      const double speedup = 0.3 + 0.7 * threads, work = slowness * (0.5 + batch) / speedup;
      const auto add = [&](Task task, const std::string& place, double quality, double seconds) {
        profile.timings.push_back(
            {task, place, quality, threads, 0, batch, work * seconds, work * seconds, work * seconds, 0});
      };
      add(Task::kPrepare, "", 0, 2e-5);
      add(Task::kNetwork, "", 0, 5e-3);
      for (const double quality : {10.0, 50.0}) {
        add(Task::kCompress, "jpeg", quality, 1e-4 + 1e-6 * quality);
        add(Task::kDecompress, "jpeg", quality, 1e-4 + 1e-6 * quality);
      }
      double head = 1.5e-3;
      for (const std::string& split : SampleSplits()) {
        add(Task::kHead, split, 0, head);
        add(Task::kTail, split, 0, 5e-3 - head);
        for (int level = 0; level < size.levels; ++level) {
          add(Task::kEncode, split, level, 8e-5 + 1e-6 * level);
          add(Task::kDecode, split, level, 7e-4 + 1e-6 * level);
        }
        head += 1.3e-3;
      }
    }
  }
  return profile;
}

inline Space SampleSpace(const SampleSize& size = {}, const SpaceOptions& options = {}) {
  return Space::Make(SampleProfile(20, size), SampleProfile(1, size), SampleRates(size), options).value();
}

}  // namespace strait::testing
