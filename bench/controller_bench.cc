// The online choice over ten thousand entries, beside a scan over all of them by the same rules. Requests differ
// from call to call, so that no choice is just the one before.
#include <benchmark/benchmark.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "bench/benchmarks.h"
#include "bench/reference_plans.h"
#include "strait/controller.h"

namespace strait {
namespace {

constexpr size_t kEntries = 10'000;
constexpr size_t kAsks = 1024;

struct Ask {
  ChannelState channel;
  Request request;
};

enum class Mix {
  kWalk,      // a rate that wanders, one deadline and accuracy: a device in use
  kDeadline,  // all drawn anew: rate, round trip, joules, deadline, accuracy
  kEnergy,    // the same where energy alone counts and the deadline decides
};

// Deadlines and accuracies around what the plan can do, where the search has most to weigh.
std::vector<Ask> MakeAsks(Mix mix, const Plan& plan) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform;
  std::normal_distribution<double> normal;
  const auto log_uniform = [&](double low, double high) { return low * std::pow(high / low, uniform(random)); };
  double most = 0;
  for (const PlanEntry& entry : plan.entries()) most = std::max(most, entry.accuracy);
  std::vector<Ask> asks(kAsks);
  double log_rate = std::log(5e5);
  for (Ask& ask : asks) {
    log_rate += 0.05 * normal(random) + 0.01 * (std::log(5e5) - log_rate);
    ask.channel.bytes_per_second = mix == Mix::kWalk ? std::exp(log_rate) : log_uniform(1e4, 1e8);
    ask.channel.rtt_seconds = mix == Mix::kWalk ? 0.02 : log_uniform(1e-3, 0.2);
    ask.channel.low_bytes_per_second = ask.channel.bytes_per_second * 0.8;
    ask.channel.high_rtt_seconds = ask.channel.rtt_seconds * 1.2;
    ask.channel.seconds_per_joule = mix == Mix::kWalk ? 0.1 : mix == Mix::kEnergy ? 1e6 : log_uniform(1e-3, 10);
    ask.request.deadline_seconds = mix == Mix::kWalk ? 0.1 : log_uniform(0.01, 0.5);
    ask.request.min_accuracy = mix == Mix::kWalk ? most * 0.97 : most * (0.85 + 0.15 * uniform(random));
  }
  return asks;
}

// The peer: reads every entry, keeping the fields it needs side by side in memory, with the same fallbacks.
class Scan {
 public:
  explicit Scan(const Plan& plan) : plan_(plan) {
    for (const PlanEntry& entry : plan.entries()) {
      remote_.push_back(entry.route == Route::kLocal ? 0 : 1);
      device_.push_back(entry.device_seconds);
      bytes_.push_back(entry.bytes);
      server_.push_back(entry.server_seconds);
      joules_.push_back(entry.device_joules);
      accuracy_.push_back(entry.accuracy);
    }
  }

  size_t Choose(const Ask& ask) const {
    const double spb = 1 / ask.channel.bytes_per_second, low_spb = 1 / ask.channel.low_bytes_per_second;
    const double w = ask.channel.seconds_per_joule;
    const double infinity = std::numeric_limits<double>::infinity();
    size_t safe = 0, likely = 0, fastest = 0, most_accurate = 0;
    double safe_cost = infinity, likely_cost = infinity, least_seconds = infinity;
    for (size_t i = 0; i < device_.size(); ++i) {
      if (accuracy_[i] > accuracy_[most_accurate]) most_accurate = i;
      if (accuracy_[i] < ask.request.min_accuracy) continue;
      const double limit =
          device_[i] + (remote_[i] * ask.channel.high_rtt_seconds + bytes_[i] * low_spb + server_[i]);
      const double wait = remote_[i] * ask.channel.rtt_seconds + bytes_[i] * spb + server_[i];
      const double latency = device_[i] + wait;
      if (latency < least_seconds) least_seconds = latency, fastest = i;
      if (std::min(limit, latency) > ask.request.deadline_seconds) continue;
      const double cost =
          latency + w * (joules_[i] + bytes_[i] * plan_.joules_per_byte() + plan_.idle_watts() * wait);
      if (limit <= ask.request.deadline_seconds && cost < safe_cost) safe_cost = cost, safe = i;
      if (cost < likely_cost) likely_cost = cost, likely = i;
    }
    if (safe_cost < infinity) return safe;
    if (likely_cost < infinity) return likely;
    return least_seconds < infinity ? fastest : most_accurate;
  }

 private:
  const Plan& plan_;
  std::vector<double> remote_, device_, bytes_, server_, joules_, accuracy_;
};

std::shared_ptr<const Plan> BenchPlan(bool realistic) {
  static const auto kRealistic = MakePlan(RealisticPlan(kEntries, 1)).value();
  static const auto kRandom = MakePlan(RandomPlan(kEntries, 1)).value();
  return realistic ? kRealistic : kRandom;
}

void BenchChoose(benchmark::State& state, bool realistic, Mix mix) {
  const auto plan = BenchPlan(realistic);
  const std::vector<Ask> asks = MakeAsks(mix, *plan);
  Controller controller(plan);
  size_t at = 0;
  for (auto _ : state) {
    at = (at + 1) % kAsks;
    benchmark::DoNotOptimize(controller.Choose(asks[at].channel, asks[at].request).index);
  }
}

void BenchScan(benchmark::State& state, bool realistic, Mix mix) {
  const auto plan = BenchPlan(realistic);
  const std::vector<Ask> asks = MakeAsks(mix, *plan);
  const Scan scan(*plan);
  Controller controller(plan, {.horizon_requests = 0});
  for (const Ask& ask : asks) {
    const size_t index = scan.Choose(ask);
    const Choice choice = controller.Choose(ask.channel, ask.request);
    if (choice.index != index && choice.meets_accuracy) return state.SkipWithError("scan and search differ");
  }
  size_t at = 0;
  for (auto _ : state) {
    at = (at + 1) % kAsks;
    benchmark::DoNotOptimize(scan.Choose(asks[at]));
  }
}

void BenchObserve(benchmark::State& state) {
  std::mt19937 random(1);
  std::normal_distribution<double> jitter(0, 0.2);
  std::uniform_real_distribution<double> log_bytes(std::log(100.0), std::log(1e5));
  struct Transfer {
    double bytes, seconds;
  };
  std::vector<Transfer> transfers(kAsks);
  for (Transfer& transfer : transfers) {
    transfer.bytes = std::exp(log_bytes(random));
    transfer.seconds = (0.03 + transfer.bytes / 1e6) * std::exp(jitter(random));
  }
  LinkEstimator estimator;
  double now = 0;
  size_t at = 0;
  for (auto _ : state) {
    at = (at + 1) % kAsks;
    now += 0.1;
    estimator.Observe(now, transfers[at].bytes, transfers[at].seconds);
    benchmark::DoNotOptimize(estimator.State(now).bytes_per_second);
  }
}

}  // namespace

void RegisterControllerBenchmarks() {
  for (const bool realistic : {true, false}) {
    const std::pair<Mix, const char*> kMixes[] = {
        {Mix::kWalk, "walk"}, {Mix::kDeadline, "deadline"}, {Mix::kEnergy, "energy"}};
    for (const auto& [mix, name] : kMixes) {
      const std::string suffix = std::string(realistic ? "realistic/" : "random/") + name;
      benchmark::RegisterBenchmark(("Controller/Choose/" + suffix).c_str(), BenchChoose, realistic, mix);
      benchmark::RegisterBenchmark(("ControllerScan/Choose/" + suffix).c_str(), BenchScan, realistic, mix);
    }
  }
  benchmark::RegisterBenchmark("LinkEstimator/Observe", BenchObserve);
}

}  // namespace strait
