// Replays requests over a recorded or drawn link, one policy after another, all with the same requests, deadlines
// and losses.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "planner/link_trace.h"
#include "strait/controller.h"
#include "strait/result.h"

namespace strait {

struct SimulateOptions {
  int64_t requests = 10000;
  double interval_seconds = 0.5;  // mean of exponentially distributed pauses
  // Deadlines are Weibull-distributed, as in DynaSplit: scale and shape. A scale of 0: none.
  double deadline_scale_seconds = 0;
  double deadline_shape = 1.5;
  double min_accuracy = 0;  // percent; of every policy that can choose
  int batch = 1;            // samples of a request
  double server_load = 0;   // [0, 1)
  double seconds_per_joule = 0;
  double probe_bytes = 1400;  // of the message that asks a silent link how it is; its energy is counted
  ControllerOptions controller;
  LinkEstimatorOptions estimator;
  uint64_t seed = 1;
};

struct PolicyResult {
  std::string name;  // "strait", "static layer2 level 3", ...
  double mean_seconds = 0;
  double p50_seconds = 0;
  double p95_seconds = 0;
  double p99_seconds = 0;
  double deadlines_met = 100;     // percent of all requests
  double feasible_met = 100;      // percent of those that some entry that is accurate enough would have met
  double joules = 0;              // mean of a request, probes included
  double accuracy = 0;            // percent, mean
  int64_t switches = 0;           // of split or route
  std::vector<double> latencies;  // seconds, ascending
};

// kInvalidArgument, naming the option, for what makes no sense whatever the plan.
Status CheckOptions(const SimulateOptions& options);

// Policies in this order: the fastest entry of each route, split and quality (local, splits, offload as JPEG and
// raw); dynamic split; DynaSplit's rule, as published and with
// the live channel; the controller with its own estimator and with the channel known; the oracle. What the plan has
// no entry for is left out. A policy's estimator sees that policy's own transfers and, while nothing is sent,
// probes. Every policy runs a request with the smallest batch of the plan that holds it, as the controller does.
// Requests do not queue. A change of split or route costs the request Plan::switch_seconds. Errors:
// kInvalidArgument (options out of range, no batch that large, no entry of that accuracy).
Result<std::vector<PolicyResult>> Simulate(const std::shared_ptr<const Plan>& plan, const LinkTrace& trace,
                                           const SimulateOptions& wanted);

// One row a policy, with what the columns of PolicyResult say.
std::string ToCsv(const std::vector<PolicyResult>& results);

// The same to read; of the static policies only the best by mean latency of those at least as accurate as asked,
// and local and offload.
std::string ToTable(const std::vector<PolicyResult>& results, double min_accuracy);

// kInvalidArgument for a name that PlotLatencies refuses.
Status CheckPlotName(const std::string& svg_path);

// Shares of requests over latency, a line a policy of ToTable's, drawn by gnuplot into an SVG file and a PNG beside
// it. Errors: kInvalidArgument (name), kIo (gnuplot missing or failed).
Status PlotLatencies(const std::vector<PolicyResult>& results, double min_accuracy, const std::string& svg_path);

}  // namespace strait
