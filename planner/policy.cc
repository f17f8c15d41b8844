#include "planner/policy.h"

#include <map>
#include <utility>

namespace strait {
namespace {

class Static : public Policy {
 public:
  explicit Static(const PlanEntry& entry) : entry_(entry) {}
  Choice Choose(const PolicyInput&) override { return {.entry = &entry_}; }

 private:
  const PlanEntry& entry_;
};

class ByController : public Policy {
 public:
  ByController(std::shared_ptr<const Plan> plan, const ControllerOptions& options)
      : controller_(std::move(plan), options) {}
  Choice Choose(const PolicyInput& input) override { return controller_.Choose(input.channel, input.request); }

 private:
  Controller controller_;
};

class DynamicSplit : public Policy {
 public:
  DynamicSplit(std::shared_ptr<const Plan> plan, int batch) : plan_(std::move(plan)) {
    // One configuration a place: what it takes at its highest quality, as fast as the device can.
    std::map<std::pair<Route, std::string>, const PlanEntry*> best;
    for (const PlanEntry& entry : plan_->entries()) {
      if (entry.batch != batch) continue;
      if (entry.route == Route::kOffload && entry.split != "raw") continue;
      const PlanEntry*& kept = best[{entry.route, entry.split}];
      if (kept == nullptr ||
          std::pair(-entry.quality, entry.device_seconds) < std::pair(-kept->quality, kept->device_seconds)) {
        kept = &entry;
      }
    }
    for (const auto& [key, entry] : best) entries_.push_back(entry);
  }
  bool empty() const { return entries_.empty(); }
  Choice Choose(const PolicyInput& input) override {
    const PlanEntry* fastest = nullptr;
    double least = 0;
    for (const PlanEntry* entry : entries_) {
      const double seconds = Latency(*plan_, *entry, input.channel, entry->batch);
      if (fastest != nullptr && seconds >= least) continue;
      fastest = entry;
      least = seconds;
    }
    return {.entry = fastest};
  }

 private:
  std::shared_ptr<const Plan> plan_;
  std::vector<const PlanEntry*> entries_;
};

// Of the entries of the request's batch that are accurate enough and meet the deadline the one with the smallest
// cost, or else the fastest. `outcome` gives seconds and joules of an entry, `cost` what they are worth.
template <typename Outcome, typename Cost>
Choice BestInTime(const Plan& plan, const Request& request, Outcome outcome, Cost cost) {
  const PlanEntry *best = nullptr, *fastest = nullptr;
  double least_cost = 0, least_seconds = 0;
  for (const PlanEntry& entry : plan.entries()) {
    if (entry.accuracy < request.min_accuracy || entry.batch != request.batch) continue;
    const auto [seconds, joules] = outcome(entry);
    if (fastest == nullptr || seconds < least_seconds) {
      fastest = &entry;
      least_seconds = seconds;
    }
    const double entry_cost = cost(seconds, joules);
    if (seconds <= request.deadline_seconds && (best == nullptr || entry_cost < least_cost)) {
      best = &entry;
      least_cost = entry_cost;
    }
  }
  return {.entry = best != nullptr ? best : fastest};
}

class DynaSplit : public Policy {
 public:
  DynaSplit(std::shared_ptr<const Plan> plan, const ChannelState& offline, bool live)
      : plan_(std::move(plan)), offline_(offline), live_(live) {}
  Choice Choose(const PolicyInput& input) override {
    const ChannelState& channel = live_ ? input.channel : offline_;
    const auto expected = [&](const PlanEntry& entry) {
      return std::pair(Latency(*plan_, entry, channel, entry.batch), Energy(*plan_, entry, channel, entry.batch));
    };
    return BestInTime(*plan_, input.request, expected, [](double, double joules) { return joules; });
  }

 private:
  std::shared_ptr<const Plan> plan_;
  ChannelState offline_;
  bool live_;
};

class Oracle : public Policy {
 public:
  explicit Oracle(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {}
  Choice Choose(const PolicyInput& input) override {
    return BestInTime(*plan_, input.request, input.outcome, [&](double seconds, double joules) {
      return seconds + input.channel.seconds_per_joule * joules;
    });
  }

 private:
  std::shared_ptr<const Plan> plan_;
};

}  // namespace

std::unique_ptr<Policy> StaticPolicy(const PlanEntry& entry) { return std::make_unique<Static>(entry); }

std::unique_ptr<Policy> ControllerPolicy(std::shared_ptr<const Plan> plan, const ControllerOptions& options) {
  return std::make_unique<ByController>(std::move(plan), options);
}

std::unique_ptr<Policy> DynamicSplitPolicy(std::shared_ptr<const Plan> plan, int batch) {
  auto policy = std::make_unique<DynamicSplit>(std::move(plan), batch);
  if (policy->empty()) return nullptr;
  return policy;
}

std::unique_ptr<Policy> DynaSplitPolicy(std::shared_ptr<const Plan> plan, const ChannelState& offline, bool live) {
  return std::make_unique<DynaSplit>(std::move(plan), offline, live);
}

std::unique_ptr<Policy> OraclePolicy(std::shared_ptr<const Plan> plan) {
  return std::make_unique<Oracle>(std::move(plan));
}

}  // namespace strait
