// Ways to choose a configuration for each request, to be compared in a simulation.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "strait/controller.h"

namespace strait {

// What a policy may look at when a request arrives.
struct PolicyInput {
  ChannelState channel;  // as the policy's own estimator sees it, or as it is
  Request request;
  // Seconds and joules that an entry really takes if it starts now; for the oracle alone.
  std::function<std::pair<double, double>(const PlanEntry&)> outcome;
};

class Policy {
 public:
  virtual ~Policy() = default;
  // Always an entry of the plan; with give_up_seconds and fallback where the policy has them.
  virtual Choice Choose(const PolicyInput& input) = 0;
};

// Always the same entry.
std::unique_ptr<Policy> StaticPolicy(const PlanEntry& entry);

// The controller of the runtime.
std::unique_ptr<Policy> ControllerPolicy(std::shared_ptr<const Plan> plan, const ControllerOptions& options = {});

// Dynamic split computing (Bakhtiarnia et al., 2022): the fastest of local, offloaded raw input and every split at
// the channel's rate, each split at one fixed rate (its highest quality), with all threads at full clock. Knows of
// no accuracy to keep. For requests of `batch`, which must be a batch of the plan; null where the plan has none of
// those places for it (it may offload as JPEG alone).
std::unique_ptr<Policy> DynamicSplitPolicy(std::shared_ptr<const Plan> plan, int batch);

// DynaSplit (May et al., 2024): entries sorted by energy, the first whose latency meets the deadline, else the
// fastest. Latency and energy of entries are those over `offline`, a channel that was measured beforehand; with
// `live` those over the channel as it is now, which the published rule does not have.
std::unique_ptr<Policy> DynaSplitPolicy(std::shared_ptr<const Plan> plan, const ChannelState& offline, bool live);

// Knows what every entry will take on the way: the same preferences as the controller, on outcomes instead of
// expectations. It looks at one request at a time.
std::unique_ptr<Policy> OraclePolicy(std::shared_ptr<const Plan> plan);

}  // namespace strait
