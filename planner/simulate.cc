#include "planner/simulate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <tuple>

#include "codec/plan_cost.h"
#include "entropy/error.h"
#include "planner/policy.h"

namespace strait {
namespace {

constexpr double kPingBytes = 8;  // an empty message of the example's protocol

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

// What an entry really takes from an arrival on, if it is waited for to the end.
struct Outcome {
  double seconds = 0;
  double joules = 0;
  double network_seconds = 0;
};

class World {
 public:
  World(const Plan& plan, const LinkTrace& trace, const SimulateOptions& options)
      : plan_(plan), trace_(trace), options_(options) {}

  Outcome Run(const PlanEntry& entry, const Arrival& arrival) const {
    const int runs = Runs(entry);
    Outcome outcome = {runs * entry.device_seconds, runs * entry.device_joules, 0};
    if (entry.route == Route::kLocal) return outcome;
    outcome.network_seconds = Transfer(arrival.seconds + entry.device_seconds, entry.bytes, arrival.seed);
    const double waiting = runs * (outcome.network_seconds + ServerSeconds(entry));
    outcome.seconds += waiting;
    outcome.joules += runs * plan_.joules_per_byte() * entry.bytes + plan_.idle_watts() * waiting;
    return outcome;
  }

  // What is left of it when `fallback` begins at `give_up` and whichever ends first counts: from then on the device
  // computes instead of waiting.
  Outcome GivenUp(const Outcome& outcome, double give_up, const PlanEntry& fallback) const {
    Outcome left = outcome;
    const double seconds = Runs(fallback) * fallback.device_seconds;
    left.seconds = std::min(outcome.seconds, give_up + seconds);
    const double share = seconds > 0 ? (left.seconds - give_up) / seconds : 1;
    left.joules +=
        share * Runs(fallback) * fallback.device_joules - plan_.idle_watts() * (outcome.seconds - give_up);
    return left;
  }

  // An entry of a smaller batch, all there is without a link, runs several times.
  int Runs(const PlanEntry& entry) const { return (options_.batch + entry.batch - 1) / entry.batch; }

  double Transfer(double start, double bytes, uint64_t seed) const {
    return trace_.TransferSeconds(start, bytes, seed);
  }
  double ServerSeconds(const PlanEntry& entry) const {
    return entry.server_seconds * ServerFactor(options_.server_load);
  }

  ChannelState Now(double seconds) const {
    const LinkPoint& point = trace_.At(seconds);
    return {.bytes_per_second = point.bytes_per_second, .rtt_seconds = point.rtt_seconds};
  }

  // The channel that a measurement beforehand would have found: mean rate and round trip over time.
  ChannelState Usual() const {
    double bytes = 0, rtt = 0;
    const std::vector<LinkPoint>& points = trace_.points();
    for (size_t i = 0; i < points.size(); ++i) {
      const double end = i + 1 < points.size() ? points[i + 1].seconds : trace_.duration();
      bytes += points[i].bytes_per_second * (end - points[i].seconds);
      rtt += points[i].rtt_seconds * (end - points[i].seconds);
    }
    return {.bytes_per_second = bytes / trace_.duration(),
            .rtt_seconds = rtt / trace_.duration(),
            .server_load = options_.server_load};
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

// What a policy knows of the link by what it sent: answers that are there, and that others have not come yet. As in
// the example's client an empty message follows an answer, at most once in a half-life, since messages of one size
// leave rate and round trip mixed, and a link that has been silent for long gets a probe of a packet.
class Watcher {
 public:
  explicit Watcher(const World& world) : world_(world), estimator_(world.options().estimator) {}

  // A transfer that begins at `start` and takes `seconds` on the link; the answer comes `server_seconds` later.
  void Sent(double start, double bytes, double seconds, double server_seconds) {
    under_way_.push_back({start, bytes, seconds, start + seconds + server_seconds});
  }

  void ProbeIfSilent(double now) {
    if (under_way_.empty() && estimator_.NeedsProbe(now)) Ask(now, world_.options().probe_bytes);
  }

  ChannelState StateAt(double now) {
    while (!under_way_.empty()) {
      const auto first = std::ranges::min_element(under_way_, {}, &Pending::answered);
      if (first->answered > now) break;
      const Pending done = *first;
      under_way_.erase(first);
      estimator_.Observe(done.answered, done.bytes, done.seconds);
      const bool due = done.answered - last_ping_ >= world_.options().estimator.half_life_seconds;
      if (under_way_.empty() && due) {
        last_ping_ = done.answered;
        Ask(done.answered, kPingBytes);
      }
    }
    // What is late says that the link is slow, but is no measurement yet.
    LinkEstimator estimator = estimator_;
    for (const Pending& transfer : under_way_) {
      if (now > transfer.start) estimator.ObserveTimeout(now, transfer.bytes, now - transfer.start);
    }
    return estimator.State(now);
  }

  double asking_joules() const { return asking_joules_; }  // of all pings and probes

 private:
  struct Pending {
    double start, bytes, seconds, answered;
  };

  void Ask(double now, double bytes) {
    Sent(now, bytes, world_.Transfer(now, bytes, ++asked_), 0);
    asking_joules_ += world_.plan().joules_per_byte() * bytes;
  }

  const World& world_;
  LinkEstimator estimator_;
  std::vector<Pending> under_way_;
  double last_ping_ = -INFINITY;
  uint64_t asked_ = 0;
  double asking_joules_ = 0;
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
    const auto switches = [&](const PlanEntry& entry) {
      return last != nullptr && (last->route != entry.route || last->split != entry.split);
    };
    const double switch_seconds = world.plan().switch_seconds();
    input.outcome = [&](const PlanEntry& entry) {
      const Outcome outcome = world.Run(entry, arrival);
      return std::pair(outcome.seconds + (switches(entry) ? switch_seconds : 0), outcome.joules);
    };
    const Choice choice = policy.Choose(input);
    const PlanEntry& entry = *choice.entry;
    Outcome outcome = world.Run(entry, arrival);
    if (sees == Sees::kEstimate && entry.route == Route::kLocal) watcher.ProbeIfSilent(arrival.seconds);
    if (entry.route != Route::kLocal) {
      watcher.Sent(arrival.seconds + entry.device_seconds, entry.bytes, outcome.network_seconds,
                   world.ServerSeconds(entry));
    }
    double answer_accuracy = entry.accuracy;
    if (switches(entry)) {
      ++result.switches;
      outcome.seconds += switch_seconds;
    }
    if (outcome.seconds > choice.give_up_seconds) {
      const double answered = outcome.seconds;
      outcome = world.GivenUp(outcome, choice.give_up_seconds, *choice.fallback);
      if (outcome.seconds < answered) answer_accuracy = choice.fallback->accuracy;
    }
    last = &entry;
    result.latencies.push_back(outcome.seconds);
    joules += outcome.joules;
    accuracy += answer_accuracy;
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
  result.joules = (joules + watcher.asking_joules()) / count;
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

// The smallest batch of the plan that holds a request of `batch` samples: what a controller would run.
Result<int> BatchFor(const Plan& plan, int batch, double min_accuracy) {
  std::set<int> batches;
  for (const PlanEntry& entry : plan.entries()) batches.insert(entry.batch);
  const auto found = batches.lower_bound(batch);
  if (found == batches.end()) {
    std::string all;
    for (const int one : batches) all += (all.empty() ? "" : ", ") + std::to_string(one);
    return Error(StatusCode::kInvalidArgument, "--batch: ", batch,
                 " samples are more than the plan's batches hold (", all,
                 "); ask for fewer, or profile with a larger --batch");
  }
  const auto fits = [&](const PlanEntry& entry) { return entry.batch == *found && entry.accuracy >= min_accuracy; };
  if (std::ranges::none_of(plan.entries(), fits)) {
    return Error(StatusCode::kInvalidArgument, "the plan has no entry for batch ", *found,
                 " with an accuracy of at least ", min_accuracy,
                 " %; choose others with --batch and --min-accuracy");
  }
  return *found;
}

}  // namespace

Status CheckOptions(const SimulateOptions& options) {
  constexpr int64_t kMaxRequests = 1'000'000;
  constexpr double kMaxSeconds = 1e6;
  const double interval = options.interval_seconds, deadline = options.deadline_scale_seconds;
  const double shape = options.deadline_shape, accuracy = options.min_accuracy;
  const double load = options.server_load, joule = options.seconds_per_joule;
  struct Rule {
    bool holds;
    const char* option;
    double value;
    const char* wanted;
  };
  const Rule rules[] = {
      {options.requests >= 1 && options.requests <= kMaxRequests, "--requests",
       static_cast<double>(options.requests), "in 1..1e6"},
      {interval > 0 && interval <= kMaxSeconds, "--interval", interval, "a time above 0 of at most 1e6 s"},
      {deadline >= 0 && deadline <= kMaxSeconds, "--deadline", deadline, "a time of 0 to 1e6 s"},
      {shape > 0, "--deadline-shape", shape, "above 0"},
      {accuracy == 0 || (accuracy > 1 && accuracy <= 100), "--min-accuracy", accuracy,
       "in percent, of which 84 is a likely one"},
      {options.batch >= 1, "--batch", static_cast<double>(options.batch), "at least 1"},
      {load >= 0 && load < 1, "--server-load", load, "in [0, 1)"},
      {joule >= 0 && joule <= 1e12, "--seconds-per-joule", joule, "in 0..1e12"},
  };
  for (const Rule& rule : rules) {
    if (rule.holds) continue;
    return Error(StatusCode::kInvalidArgument, rule.option, ": ", rule.value, " is not ", rule.wanted);
  }
  return Status();
}

Result<std::vector<PolicyResult>> Simulate(const std::shared_ptr<const Plan>& plan, const LinkTrace& trace,
                                           const SimulateOptions& wanted) {
  STRAIT_RETURN_IF_ERROR(CheckOptions(wanted));
  SimulateOptions options = wanted;
  STRAIT_ASSIGN_OR_RETURN(options.batch, BatchFor(*plan, wanted.batch, wanted.min_accuracy));
  const World world(*plan, trace, options);
  const std::vector<Arrival> arrivals = DrawArrivals(options);
  std::vector<bool> feasible;
  for (const Arrival& arrival : arrivals) {
    feasible.push_back(std::isinf(arrival.deadline_seconds) ||
                       std::ranges::any_of(plan->entries(), [&](const PlanEntry& entry) {
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
  if (const auto policy = DynamicSplitPolicy(plan, options.batch))
    replay("dynamic split", *policy, Sees::kEstimate);
  replay("dynasplit", *DynaSplitPolicy(plan, world.Usual(), /*live=*/false), Sees::kChannel);
  replay("dynasplit, live channel", *DynaSplitPolicy(plan, {}, /*live=*/true), Sees::kEstimate);
  replay("strait", *ControllerPolicy(plan, options.controller), Sees::kEstimate);
  replay("strait, channel known", *ControllerPolicy(plan, options.controller), Sees::kChannel);
  replay("oracle", *OraclePolicy(plan), Sees::kChannel);
  return results;
}

}  // namespace strait
