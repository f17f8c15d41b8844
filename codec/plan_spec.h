// A plan in the making, and its text. The planner fills a PlanSpec; the reader does the same from a plan file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "strait/controller.h"
#include "strait/result.h"

namespace strait {

constexpr int kPlanFormatVersion = 1;
constexpr size_t kMaxPlanEntries = 1'000'000;
constexpr int64_t kMaxPlanBytes = int64_t{256} << 20;

// Of the values in a plan, and in the profiles that plans are made of: far beyond any real figure, and small enough
// that no sum or product of a choice overflows.
constexpr double kMaxPlanSeconds = 1e9, kMaxPlanJoules = 1e12, kMaxPlanWatts = 1e6, kMaxPlanHertz = 1e12;
constexpr int kMaxPlanThreads = 4096, kMaxPlanBatch = 1 << 16;
constexpr size_t kMaxPlanModels = 4096, kMaxPlanTextBytes = 4096;

// Fields as in Plan; `device` and `server` say in words where the figures were measured.
struct PlanSpec {
  std::string backbone_hash, device, server;
  double idle_watts = 0, joules_per_byte = 0, switch_seconds = 0;
  std::vector<PlanModel> models;
  std::vector<PlanEntry> entries;
};

// The plan file (docs/format.md), one entry a line. Numbers are written so that reading gives the same doubles
// back. Does not check: a spec that MakePlan refuses gives a text that Plan::FromBytes refuses.
std::string PlanToJson(const PlanSpec& spec);

// Checks `spec` and indexes its entries; the one place where plans are checked, for readers and makers alike.
// Errors: kCorrupt, naming the entry and the field ("plan entries[17]: "bytes" is -1, not in 0..1e+15").
Result<std::shared_ptr<const Plan>> MakePlan(PlanSpec spec);

}  // namespace strait
