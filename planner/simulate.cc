#include "planner/simulate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <sstream>
#include <tuple>

#include "entropy/error.h"
#include "planner/policy.h"

namespace strait {
namespace {

constexpr double kTinyBytes = 1;  // says all of the round trip and nothing of the rate

struct Arrival {
  double seconds = 0;
  double deadline_seconds = 0;
  uint64_t seed = 0;  // of the losses, so that every policy and entry meets the same luck
};

std::vector<Arrival> DrawArrivals(const SimulateOptions& options) {
  std::mt19937_64 random(options.seed);
  std::exponential_distribution<double> pause(1 / options.interval_seconds);
  const double scale = options.deadline_scale_seconds;
  std::weibull_distribution<double> deadline(options.deadline_shape, scale > 0 ? scale : 1);
  std::vector<Arrival> arrivals;
  double now = 0;
  for (int64_t i = 0; i < options.requests; ++i) {
    now += pause(random);
    arrivals.push_back({now, scale > 0 ? deadline(random) : INFINITY, random()});
  }
  return arrivals;
}

// What an entry really takes from `start` on.
struct Outcome {
  double seconds = 0;
  double network_seconds = 0;
  double joules = 0;
};

class World {
 public:
  World(const Plan& plan, const LinkTrace& trace, const SimulateOptions& options)
      : plan_(plan), trace_(trace), options_(options) {}

  Outcome Run(const PlanEntry& entry, const Arrival& arrival) const {
    Outcome outcome = {.seconds = entry.device_seconds, .joules = entry.device_joules};
    if (entry.route == Route::kLocal) return outcome;
    std::mt19937_64 random(arrival.seed);
    outcome.network_seconds = trace_.TransferSeconds(arrival.seconds + entry.device_seconds, entry.bytes, random);
    const double waiting = outcome.network_seconds + entry.server_seconds / (1 - options_.server_load);
    outcome.seconds += waiting;
    outcome.joules += plan_.joules_per_byte() * entry.bytes + plan_.idle_watts() * waiting;
    return outcome;
  }

  ChannelState Now(double seconds) const {
    const LinkPoint& point = trace_.At(seconds);
    return {.bytes_per_second = point.bytes_per_second, .rtt_seconds = point.rtt_seconds};
  }

  // The channel that a measurement beforehand would have found: mean rate and round trip.
  ChannelState Usual() const {
    double bytes = 0, rtt = 0;
    const std::vector<LinkPoint>& points = trace_.points();
    for (const LinkPoint& point : points) {
      bytes += point.bytes_per_second;
      rtt += point.rtt_seconds;
    }
    const auto count = static_cast<double>(points.size());
    return {.bytes_per_second = bytes / count, .rtt_seconds = rtt / count};
  }

  double ProbeSeconds(const Arrival& arrival, double seconds) const {
    std::mt19937_64 random(arrival.seed + 1);
    return trace_.TransferSeconds(seconds, options_.probe_bytes, random);
  }

  const Plan& plan() const { return plan_; }
  const SimulateOptions& options() const { return options_; }

 private:
  const Plan& plan_;
  const LinkTrace& trace_;
  const SimulateOptions& options_;
};

double Quantile(const std::vector<double>& sorted, double q) {
  return sorted[static_cast<size_t>(q * static_cast<double>(sorted.size() - 1))];
}

enum class Sees : uint8_t { kEstimate, kChannel };

// What a policy knows of the link by what it sent: answers that are there, and that others have not come yet.
class Watcher {
 public:
  explicit Watcher(const World& world) : world_(world), estimator_(world.options().estimator) {}

  // A transfer that begins at `start` and is answered after `seconds`.
  void Sent(double start, double bytes, double seconds) { under_way_.push_back({start, bytes, seconds}); }

  // Asks a link that has been silent for long. Returns the joules that takes.
  double Probe(const Arrival& arrival) {
    if (!under_way_.empty() || !estimator_.NeedsProbe(arrival.seconds)) return 0;
    const double bytes = world_.options().probe_bytes;
    Sent(arrival.seconds, bytes, world_.ProbeSeconds(arrival, arrival.seconds));
    return world_.plan().joules_per_byte() * bytes;
  }

  ChannelState StateAt(double now) {
    std::ranges::sort(under_way_, {}, &Transfer::End);
    size_t done = 0;
    for (; done < under_way_.size() && under_way_[done].End() <= now; ++done) {
      const Transfer& transfer = under_way_[done];
      // TCP knows the round trip of its own small packets (tcpi_rtt of TCP_INFO), which a transfer's time alone, of
      // messages of one size, would leave mixed with the rate.
      estimator_.Observe(transfer.End(), kTinyBytes, world_.Now(transfer.End()).rtt_seconds);
      estimator_.Observe(transfer.End(), transfer.bytes, transfer.seconds);
    }
    under_way_.erase(under_way_.begin(), under_way_.begin() + static_cast<ptrdiff_t>(done));
    // What is late says that the link is slow, but is no measurement yet.
    LinkEstimator estimator = estimator_;
    for (const Transfer& transfer : under_way_) {
      if (now > transfer.start) estimator.ObserveTimeout(now, transfer.bytes, now - transfer.start);
    }
    return estimator.State(now);
  }

 private:
  struct Transfer {
    double start, bytes, seconds;
    double End() const { return start + seconds; }
  };
  const World& world_;
  LinkEstimator estimator_;
  std::vector<Transfer> under_way_;
};

PolicyResult Replay(const std::string& name, Policy& policy, Sees sees, const World& world,
                    const std::vector<Arrival>& arrivals, const std::vector<bool>& feasible) {
  PolicyResult result;
  result.name = name;
  Watcher watcher(world);
  const PlanEntry* last = nullptr;
  int64_t met = 0, num_feasible = 0, feasible_met = 0;
  double joules = 0, accuracy = 0;
  for (size_t i = 0; i < arrivals.size(); ++i) {
    const Arrival& arrival = arrivals[i];
    PolicyInput input;
    input.channel = sees == Sees::kEstimate ? watcher.StateAt(arrival.seconds) : world.Now(arrival.seconds);
    input.channel.server_load = world.options().server_load;
    input.channel.seconds_per_joule = world.options().seconds_per_joule;
    input.request = {arrival.deadline_seconds, world.options().min_accuracy, world.options().batch};
    input.outcome = [&](const PlanEntry& entry) {
      const Outcome outcome = world.Run(entry, arrival);
      return std::pair(outcome.seconds, outcome.joules);
    };
    const Choice choice = policy.Choose(input);
    const PlanEntry& entry = *choice.entry;
    Outcome outcome = world.Run(entry, arrival);
    if (entry.route != Route::kLocal) {
      watcher.Sent(arrival.seconds + entry.device_seconds, entry.bytes, outcome.network_seconds);
    } else if (sees == Sees::kEstimate) {
      joules += watcher.Probe(arrival);
    }
    if (outcome.seconds > choice.give_up_seconds) {
      outcome.seconds = std::min(outcome.seconds, choice.give_up_seconds + choice.fallback->device_seconds);
      outcome.joules += choice.fallback->device_joules;
    }
    if (last != nullptr && (last->route != entry.route || last->split != entry.split)) {
      ++result.switches;
      outcome.seconds += world.plan().switch_seconds();
    }
    last = &entry;
    result.latencies.push_back(outcome.seconds);
    joules += outcome.joules;
    accuracy += entry.accuracy;
    const bool in_time = outcome.seconds <= arrival.deadline_seconds;
    met += in_time;
    num_feasible += feasible[i];
    feasible_met += in_time && feasible[i];
  }
  const auto count = static_cast<double>(arrivals.size());
  for (const double seconds : result.latencies) result.mean_seconds += seconds / count;
  std::ranges::sort(result.latencies);
  result.p50_seconds = Quantile(result.latencies, 0.5);
  result.p95_seconds = Quantile(result.latencies, 0.95);
  result.p99_seconds = Quantile(result.latencies, 0.99);
  result.deadlines_met = 100 * static_cast<double>(met) / count;
  result.feasible_met =
      num_feasible == 0 ? 100 : 100 * static_cast<double>(feasible_met) / static_cast<double>(num_feasible);
  result.joules = joules / count;
  result.accuracy = accuracy / count;
  return result;
}

// The fastest entry of each route, split and quality, of the batch that is simulated.
std::vector<const PlanEntry*> StaticEntries(const Plan& plan, int batch) {
  std::map<std::tuple<Route, std::string, double>, const PlanEntry*> fastest;
  for (const PlanEntry& entry : plan.entries()) {
    if (entry.batch != batch) continue;
    const PlanEntry*& kept = fastest[{entry.route, entry.split, entry.quality}];
    if (kept == nullptr || entry.device_seconds < kept->device_seconds) kept = &entry;
  }
  std::vector<const PlanEntry*> entries;
  for (const auto& [key, entry] : fastest) entries.push_back(entry);
  return entries;
}

std::string StaticName(const PlanEntry& entry) {
  if (entry.route == Route::kLocal) return "local";
  std::ostringstream name;
  name << (entry.route == Route::kOffload ? "offload " : "static ") << entry.split;
  if (entry.split != "raw") name << (entry.route == Route::kOffload ? " q" : " level ") << entry.quality;
  return name.str();
}

Status Check(const Plan& plan, const SimulateOptions& options) {
  const auto wrong = [](const char* what, double value, const char* wanted) {
    return Error(StatusCode::kInvalidArgument, what, ": ", value, " is not ", wanted);
  };
  if (options.requests < 1) return wrong("--requests", static_cast<double>(options.requests), "at least 1");
  if (!(options.interval_seconds > 0)) return wrong("--interval", options.interval_seconds, "a time above 0");
  if (!(options.deadline_scale_seconds >= 0))
    return wrong("--deadline", options.deadline_scale_seconds, "a time of at least 0");
  if (!(options.deadline_shape > 0)) return wrong("--deadline-shape", options.deadline_shape, "above 0");
  if (!(options.server_load >= 0 && options.server_load < 1))
    return wrong("--server-load", options.server_load, "in [0, 1)");
  if (!(options.seconds_per_joule >= 0))
    return wrong("--seconds-per-joule", options.seconds_per_joule, "at least 0");
  const auto fits = [&](const PlanEntry& entry) {
    return entry.batch == options.batch && entry.accuracy >= options.min_accuracy;
  };
  if (std::ranges::none_of(plan.entries(), fits)) {
    return Error(StatusCode::kInvalidArgument, "the plan has no entry for batch ", options.batch,
                 " with an accuracy of at least ", options.min_accuracy,
                 " %; choose others with --batch and --min-accuracy");
  }
  return Status();
}

}  // namespace

Result<std::vector<PolicyResult>> Simulate(const std::shared_ptr<const Plan>& plan, const LinkTrace& trace,
                                           const SimulateOptions& options) {
  STRAIT_RETURN_IF_ERROR(Check(*plan, options));
  const World world(*plan, trace, options);
  const std::vector<Arrival> arrivals = DrawArrivals(options);
  std::vector<bool> feasible;
  for (const Arrival& arrival : arrivals) {
    feasible.push_back(std::ranges::any_of(plan->entries(), [&](const PlanEntry& entry) {
      return entry.batch == options.batch && entry.accuracy >= options.min_accuracy &&
             world.Run(entry, arrival).seconds <= arrival.deadline_seconds;
    }));
  }
  std::vector<PolicyResult> results;
  const auto replay = [&](const std::string& name, Policy& policy, Sees sees) {
    results.push_back(Replay(name, policy, sees, world, arrivals, feasible));
  };
  for (const PlanEntry* entry : StaticEntries(*plan, options.batch)) {
    replay(StaticName(*entry), *StaticPolicy(*entry), Sees::kChannel);
  }
  replay("dynamic split", *DynamicSplitPolicy(plan), Sees::kEstimate);
  replay("dynasplit", *DynaSplitPolicy(plan, world.Usual(), /*live=*/false), Sees::kEstimate);
  replay("dynasplit, live channel", *DynaSplitPolicy(plan, {}, /*live=*/true), Sees::kEstimate);
  replay("strait", *ControllerPolicy(plan, options.controller), Sees::kEstimate);
  replay("strait, channel known", *ControllerPolicy(plan, options.controller), Sees::kChannel);
  replay("oracle", *OraclePolicy(plan), Sees::kChannel);
  return results;
}

}  // namespace strait
