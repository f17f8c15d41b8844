// The entries of a plan, arranged for a controller: by batch, and what each batch offers with and without a
// channel. Immutable once built.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/cost_tree.h"

namespace strait {

// The entries of one batch.
struct BatchGroup {
  int batch = 1;
  CostTree local, remote;
  // Of the remote entries, by size, those that are more accurate than every smaller one: the entry of fewest bytes
  // is the first of them that is accurate enough.
  std::vector<uint32_t> fewest_bytes;
};

class PlanIndex {
 public:
  PlanIndex() = default;
  explicit PlanIndex(const std::vector<PlanEntry>& entries);

  // Whether an entry runs without a channel.
  bool has_local() const { return !with_local_.empty(); }
  // Of the groups, or of those with a local entry, the one of the smallest batch that holds `batch` samples, or
  // else of the largest. Precondition: there is one.
  const BatchGroup& GroupFor(int batch, bool with_local) const;
  // Numbers route and split of an entry: equal for equal ones.
  uint32_t place(size_t index) const { return places_[index]; }

 private:
  std::vector<BatchGroup> groups_;  // by batch
  std::vector<uint32_t> with_local_;
  std::vector<uint32_t> places_;
};

}  // namespace strait
