#include "codec/plan_index.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace strait {
namespace {

std::vector<uint32_t> NumberPlaces(const std::vector<PlanEntry>& entries) {
  std::map<std::pair<Route, std::string>, uint32_t> numbers;
  std::vector<uint32_t> places;
  places.reserve(entries.size());
  for (const PlanEntry& entry : entries) {
    const auto number = static_cast<uint32_t>(numbers.size());
    places.push_back(numbers.try_emplace({entry.route, entry.split}, number).first->second);
  }
  return places;
}

std::vector<uint32_t> FewestBytes(const std::vector<PlanEntry>& entries, std::vector<uint32_t> indices) {
  std::ranges::sort(indices, {}, [&](uint32_t i) { return std::pair(entries[i].bytes, i); });
  std::vector<uint32_t> result;
  for (const uint32_t i : indices) {
    if (result.empty() || entries[i].accuracy > entries[result.back()].accuracy) result.push_back(i);
  }
  return result;
}

}  // namespace

PlanIndex::PlanIndex(const std::vector<PlanEntry>& entries) : places_(NumberPlaces(entries)) {
  struct Members {
    std::vector<uint32_t> local, remote;
  };
  std::map<int, Members> by_batch;
  for (size_t i = 0; i < entries.size(); ++i) {
    Members& members = by_batch[entries[i].batch];
    (entries[i].route == Route::kLocal ? members.local : members.remote).push_back(static_cast<uint32_t>(i));
  }
  for (auto& [batch, members] : by_batch) {
    if (!members.local.empty()) with_local_.push_back(static_cast<uint32_t>(groups_.size()));
    BatchGroup group;
    group.batch = batch;
    group.fewest_bytes = FewestBytes(entries, members.remote);
    group.local = CostTree(entries, places_, std::move(members.local));
    group.remote = CostTree(entries, places_, std::move(members.remote));
    groups_.push_back(std::move(group));
  }
}

const BatchGroup& PlanIndex::GroupFor(int batch, bool with_local) const {
  const auto holds = [&](const BatchGroup& group) { return group.batch < batch; };
  if (!with_local) {
    const auto found = std::partition_point(groups_.begin(), groups_.end(), holds);
    return found != groups_.end() ? *found : groups_.back();
  }
  const auto found = std::partition_point(with_local_.begin(), with_local_.end(),
                                          [&](uint32_t group) { return holds(groups_[group]); });
  return groups_[found != with_local_.end() ? *found : with_local_.back()];
}

}  // namespace strait
