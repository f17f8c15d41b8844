#include "planner/pareto.h"

#include <algorithm>
#include <numeric>
#include <pagmo/utils/hypervolume.hpp>

namespace strait {
namespace {

bool NoWorse(const Objectives& a, const Objectives& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
  }
  return true;
}

}  // namespace

std::vector<size_t> ParetoFront(std::span<const Objectives> points) {
  std::vector<size_t> order(points.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // In lexical order nothing is dominated by what comes later, and equal points stay in theirs.
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return points[a] < points[b]; });
  std::vector<size_t> front;
  for (const size_t i : order) {
    const bool dominated =
        std::ranges::any_of(front, [&](size_t kept) { return NoWorse(points[kept], points[i]); });
    if (!dominated) front.push_back(i);
  }
  std::ranges::sort(front);
  return front;
}

Objectives ChannelFree(const PlanEntry& entry) {
  return {entry.device_seconds, entry.server_seconds, entry.bytes, entry.device_joules, -entry.accuracy};
}

Objectives SearchObjectives(const PlanEntry& entry) {
  return {entry.device_seconds + entry.server_seconds, entry.device_joules, entry.bytes, -entry.accuracy};
}

double Hypervolume(std::span<const Objectives> points, const Objectives& reference) {
  std::vector<Objectives> inside;
  for (const Objectives& point : points) {
    bool below = true;
    for (size_t i = 0; i < point.size(); ++i) below = below && point[i] < reference[i];
    if (below) inside.push_back(point);
  }
  return inside.empty() ? 0 : pagmo::hypervolume(inside, /*verify=*/false).compute(reference);
}

}  // namespace strait
