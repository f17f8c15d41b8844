// A plan to read: what it is of, and a row for each configuration.
#pragma once

#include <optional>
#include <string>

#include "strait/controller.h"

namespace strait {

// Network, machines, units and the plan's assumptions, then the entries in the plan's order, each with its index
// (as Choice::index has it). Where `channel` is given two more columns: latency and energy of the entry's batch
// over it.
std::string PlanTable(const Plan& plan, const std::optional<ChannelState>& channel = std::nullopt);

}  // namespace strait
