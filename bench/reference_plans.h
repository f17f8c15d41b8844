// Plans for tests and benchmarks: a small one with a known answer, and random ones.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "codec/plan_spec.h"

namespace strait {

inline PlanEntry LocalEntry(double device_seconds, double joules, double accuracy, int batch = 1) {
  return {.route = Route::kLocal,
          .split = {},
          .batch = batch,
          .device_seconds = device_seconds,
          .device_joules = joules,
          .accuracy = accuracy};
}

inline PlanEntry SplitEntry(const std::string& split, double quality, double device_seconds, double server_seconds,
                            double bytes, double joules, double accuracy, int batch = 1) {
  return {.route = Route::kSplit,
          .split = split,
          .quality = quality,
          .batch = batch,
          .device_seconds = device_seconds,
          .server_seconds = server_seconds,
          .bytes = bytes,
          .device_joules = joules,
          .accuracy = accuracy};
}

inline PlanEntry OffloadEntry(const std::string& kind, double quality, double device_seconds, double server_seconds,
                              double bytes, double joules, double accuracy, int batch = 1) {
  PlanEntry entry = SplitEntry(kind, quality, device_seconds, server_seconds, bytes, joules, accuracy, batch);
  entry.route = Route::kOffload;
  return entry;
}

// All routes once or more.
inline PlanSpec SmallPlan() {
  PlanSpec spec;
  spec.backbone_hash = "xxh3:0123456789abcdef";
  spec.device = "test device, 4 cores";
  spec.server = "test server";
  spec.idle_watts = 1.5;
  spec.joules_per_byte = 1e-6;
  spec.switch_seconds = 0.02;
  spec.models = {{"layer1", "layer1/model.strait", 0x9f3a17c05d20e4b8}, {"layer2", "/units/layer2.strait", 1}};
  spec.entries = {LocalEntry(0.2, 1.0, 80),
                  SplitEntry("layer1", 2, 0.02, 0.004, 4000, 0.1, 79),
                  SplitEntry("layer1", 0, 0.02, 0.004, 400, 0.1, 70),
                  SplitEntry("layer2", 1.25, 0.05, 0.003, 900, 0.25, 78),
                  OffloadEntry("jpeg", 75, 0.004, 0.006, 12000, 0.02, 78.5),
                  OffloadEntry("raw", 0, 0, 0.005, 150528, 0, 80)};
  spec.entries[1].threads = 4;
  spec.entries[1].frequency_hz = 1.8e9;
  return spec;
}

// `coarse` draws every component from few values, so that equal costs abound.
inline PlanSpec RandomPlan(size_t num_entries, uint32_t seed, bool coarse = false, double local_share = 0.02,
                           int num_batches = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform;
  const auto draw = [&](double largest) {
    const double value = uniform(random);
    return largest * (coarse ? std::floor(value * 3) / 3 : value);
  };
  PlanSpec spec = SmallPlan();
  spec.entries.clear();
  spec.models.clear();
  constexpr int kSplits = 12;
  for (int i = 0; i < kSplits; ++i) spec.models.push_back({"split" + std::to_string(i), "m.strait", 1});
  for (size_t i = 0; i < num_entries; ++i) {
    const int batch = 1 << (random() % static_cast<uint32_t>(num_batches));
    if (uniform(random) < local_share) {
      spec.entries.push_back(LocalEntry(draw(0.5), draw(2), draw(100), batch));
    } else {
      spec.entries.push_back(SplitEntry("split" + std::to_string(random() % kSplits), 0, draw(0.2), draw(0.05),
                                        draw(60000), draw(1), draw(100), batch));
    }
  }
  return spec;
}

inline bool Dominates(const PlanEntry& a, const PlanEntry& b) {
  return a.device_seconds <= b.device_seconds && a.server_seconds <= b.server_seconds && a.bytes <= b.bytes &&
         a.device_joules <= b.device_joules && a.accuracy >= b.accuracy;
}

// What a planner might keep for a network of 16 cuts: of cuts, qualities, numbers of threads and clocks, entries of
// which none is beaten in everything by another.
inline PlanSpec RealisticPlan(size_t num_entries, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform;
  PlanSpec spec = SmallPlan();
  spec.entries.clear();
  spec.models.clear();
  constexpr int kCuts = 16;
  for (int i = 0; i < kCuts; ++i) spec.models.push_back({"layer" + std::to_string(i), "m.strait", 1});
  const auto device = [&](double work, PlanEntry& entry) {  // Amdahl's law; watts grow with the clock's cube
    entry.threads = 1 << (random() % 3);
    entry.frequency_hz = 1e8 * (6 + static_cast<double>(random() % 13));
    const double cores = 0.1 + 0.9 / entry.threads, clock = entry.frequency_hz / 1.8e9;
    entry.device_seconds = work * cores / clock * (1 + 0.01 * uniform(random));
    entry.device_joules = entry.device_seconds * (1 + entry.threads * 1.2 * clock * clock * clock);
  };
  while (spec.entries.size() < num_entries) {
    PlanEntry entry;
    const uint32_t kind = random() % 100;
    if (kind < 1) {
      entry = LocalEntry(0, 0, 80);
      device(0.6, entry);
    } else if (kind < 4) {
      const int quality = 20 + static_cast<int>(random() % 75);
      entry = OffloadEntry("jpeg", quality, 0, 0.006, 3000.0 * std::exp(quality / 40.0), 0,
                           80 - 12 * std::exp(-quality / 25.0));
      device(0.01, entry);
    } else {
      const auto cut = static_cast<int>(random() % kCuts);
      const double depth = (cut + 1.0) / (kCuts + 1), quality = static_cast<double>(random() % 81) / 16;
      entry = SplitEntry("layer" + std::to_string(cut), quality, 0, 0.008 * (1 - depth) + 0.001,
                         (200 + 1500 * (1 - depth)) * std::exp(0.45 * quality) * (1 + 0.05 * uniform(random)), 0,
                         80 - (1 + 9 * depth) * std::exp(-0.7 * quality));
      device(0.6 * depth + 0.01, entry);
    }
    const auto dominates = [&](const PlanEntry& kept) { return Dominates(kept, entry); };
    if (std::ranges::any_of(spec.entries, dominates)) continue;
    std::erase_if(spec.entries, [&](const PlanEntry& kept) { return Dominates(entry, kept); });
    spec.entries.push_back(entry);
  }
  return spec;
}

}  // namespace strait
