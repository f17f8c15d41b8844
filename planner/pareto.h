// Pareto fronts of configurations, and how good a front is.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "strait/controller.h"

namespace strait {

using Objectives = std::vector<double>;  // all to be made small

// Indices of the points that no other dominates (is at least as small everywhere and smaller somewhere), ascending;
// of equal points the first. Precondition: all of one length.
std::vector<size_t> ParetoFront(std::span<const Objectives> points);

// What decides between entries whatever the channel does: seconds of the device, seconds of the server, bytes,
// joules, and accuracy (negated). Latency and energy grow with each of the former over every channel and server
// load, so an entry that is dominated here is never the best choice online, and every other one may be.
Objectives ChannelFree(const PlanEntry& entry);

// What a search makes small: seconds of computing, joules of the device, bytes, and accuracy (negated).
Objectives SearchObjectives(const PlanEntry& entry);

// Volume that points dominate below `reference`, by pagmo. Points beyond the reference count for nothing.
double Hypervolume(std::span<const Objectives> points, const Objectives& reference);

}  // namespace strait
