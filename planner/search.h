// The offline search for the configurations worth having in a plan (DynaSplit, May et al., 2024, with the rate as a
// further axis).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "planner/pareto.h"
#include "planner/space.h"
#include "strait/result.h"

namespace strait {

enum class SearchMethod : uint8_t {
  kExhaustive,
  kNsga2,   // Deb et al., 2002, by pagmo; MOEA/D found less of the front and took a hundred times as long
  kRandom,  // uniform, without repetition: what a search has to beat
};

// "exhaustive", "nsga2", "random".
const std::vector<std::string>& SearchMethodNames();

struct SearchOptions {
  SearchMethod method = SearchMethod::kExhaustive;
  double tried_share = 0.05;  // of the configurations of each batch size, unless exhaustive; in (0, 1]
  uint64_t seed = 1;
};

struct SearchResult {
  std::vector<PlanEntry> front;  // of each batch size those that nothing tried dominates (ChannelFree)
  int64_t tried = 0;             // distinct configurations
  int64_t configurations = 0;
};

// Searches each batch size by itself; a search starts from what the one before found and from the ends of every
// axis, and looks at no fewer than 256 configurations of a batch size, or all.
SearchResult Search(const Space& space, const SearchOptions& options);

// Hypervolume of `found` over that of `all`, which it is a part of, in SearchObjectives of one batch size, scaled
// to the range of `all`; the reference is a tenth beyond its worst. 1 where both are equal.
double HypervolumeShare(const std::vector<PlanEntry>& found, const std::vector<PlanEntry>& all, int batch);

}  // namespace strait
