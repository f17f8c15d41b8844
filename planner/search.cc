#include "planner/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <pagmo/algorithm.hpp>
#include <pagmo/algorithms/nsga2.hpp>
#include <pagmo/population.hpp>
#include <pagmo/problem.hpp>
#include <random>

namespace strait {
namespace {

// A search by fewer looks finds too little to be worth a plan.
constexpr int64_t kLeastTried = 256;

// Configurations of one batch size that were looked at, each once.
class Tried {
 public:
  Tried(const Space& space, int batch) : space_(space), batch_(batch) {}

  const PlanEntry& Evaluate(const Genes& genes) {
    const auto found = entries_.find(genes);
    if (found != entries_.end()) return found->second;
    return entries_.emplace(genes, space_.Evaluate(batch_, genes)).first->second;
  }
  int64_t size() const { return static_cast<int64_t>(entries_.size()); }

  // Genes and entries that nothing tried dominates.
  std::vector<std::pair<Genes, PlanEntry>> Front() const {
    std::vector<std::pair<Genes, PlanEntry>> all(entries_.begin(), entries_.end());
    std::vector<Objectives> points;
    for (const auto& [genes, entry] : all) points.push_back(ChannelFree(entry));
    std::vector<std::pair<Genes, PlanEntry>> front;
    for (const size_t i : ParetoFront(points)) front.push_back(all[i]);
    return front;
  }

 private:
  const Space& space_;
  int batch_;
  std::map<Genes, PlanEntry> entries_;
};

// The space as pagmo sees it: real numbers in [0, 1), which keep their meaning where axes have different lengths.
struct Problem {
  const Space* space = nullptr;
  Tried* tried = nullptr;

  Genes GenesOf(const pagmo::vector_double& x) const {
    const auto index = [&](size_t i, int count) { return std::min(static_cast<int>(x[i] * count), count - 1); };
    const int place = index(0, space->num_places());
    return {place, index(1, space->num_qualities(place)), index(2, space->num_threads()),
            index(3, space->num_clocks())};
  }
  pagmo::vector_double PointOf(const Genes& genes) const {
    const auto middle = [](int index, int count) { return (index + 0.5) / count; };
    return {middle(genes[0], space->num_places()), middle(genes[1], space->num_qualities(genes[0])),
            middle(genes[2], space->num_threads()), middle(genes[3], space->num_clocks())};
  }

  // What pagmo asks of a problem.
  pagmo::vector_double fitness(const pagmo::vector_double& x) const {  // NOLINT
    return SearchObjectives(tried->Evaluate(GenesOf(x)));
  }
  std::pair<pagmo::vector_double, pagmo::vector_double> get_bounds() const {  // NOLINT
    return {pagmo::vector_double(4, 0.0), pagmo::vector_double(4, 1.0)};
  }
  pagmo::vector_double::size_type get_nobj() const { return 4; }  // NOLINT
};

void TryAll(const Space& space, Tried& tried) {
  for (int place = 0; place < space.num_places(); ++place) {
    for (int quality = 0; quality < space.num_qualities(place); ++quality) {
      for (int threads = 0; threads < space.num_threads(); ++threads) {
        for (int clock = 0; clock < space.num_clocks(); ++clock) tried.Evaluate({place, quality, threads, clock});
      }
    }
  }
}

Genes DrawGenes(const Space& space, std::mt19937_64& random) {
  const auto below = [&](int count) { return static_cast<int>(random() % static_cast<uint64_t>(count)); };
  const int place = below(space.num_places());
  return {place, below(space.num_qualities(place)), below(space.num_threads()), below(space.num_clocks())};
}

// The ends of every axis at every place: few, and they span the front.
std::vector<Genes> Corners(const Space& space) {
  std::vector<Genes> corners;
  for (int place = 0; place < space.num_places(); ++place) {
    for (int bits = 0; bits < 8; ++bits) {
      corners.push_back({place, bits & 1 ? space.num_qualities(place) - 1 : 0,
                         bits & 2 ? space.num_threads() - 1 : 0, bits & 4 ? space.num_clocks() - 1 : 0});
    }
  }
  return corners;
}

// `known`: what another batch size's search found. The population begins with some of these and of the corners.
void Evolve(const Space& space, int64_t budget, const std::vector<Genes>& known, Tried& tried, uint64_t seed) {
  const Problem problem = {&space, &tried};
  std::vector<Genes> start = Corners(space);
  for (const Genes& genes : start) {
    if (tried.size() < budget) tried.Evaluate(genes);
  }
  start.insert(start.end(), known.begin(), known.end());
  const auto size = static_cast<unsigned>(std::clamp<int64_t>(budget / 8 / 4 * 4, 8, 200));
  std::mt19937_64 random(seed);
  pagmo::population population(pagmo::problem(problem), 0, static_cast<unsigned>(seed));
  std::ranges::shuffle(start, random);
  start.resize(std::min<size_t>(start.size(), size / 2));
  while (start.size() < size) start.push_back(DrawGenes(space, random));
  for (const Genes& genes : start) {
    if (tried.size() < budget) population.push_back(problem.PointOf(genes));
  }
  if (population.size() < size) return;
  const pagmo::algorithm algorithm(pagmo::nsga2(1, 0.95, 10, 0.25, 20, static_cast<unsigned>(seed + 1)));
  // A generation may find nothing new; a search that has converged ends.
  for (int idle = 0; tried.size() + size <= budget && idle < 20;) {
    const int64_t before = tried.size();
    population = algorithm.evolve(population);
    idle = tried.size() == before ? idle + 1 : 0;
  }
}

}  // namespace

const std::vector<std::string>& SearchMethodNames() {
  static const std::vector<std::string> names = {"exhaustive", "nsga2", "random"};
  return names;
}

SearchResult Search(const Space& space, const SearchOptions& options) {
  SearchResult result;
  std::vector<Genes> known;
  const auto share = static_cast<int64_t>(options.tried_share * static_cast<double>(space.size()));
  const int64_t budget = std::min(std::max(share, kLeastTried), space.size());
  for (int batch = 0; batch < static_cast<int>(space.batches().size()); ++batch) {
    Tried tried(space, batch);
    const uint64_t seed = options.seed * 1000003 + static_cast<uint64_t>(batch);
    if (options.method == SearchMethod::kExhaustive || budget == space.size()) {
      TryAll(space, tried);
    } else if (options.method == SearchMethod::kRandom) {
      std::mt19937_64 random(seed);
      while (tried.size() < std::min(budget, space.size())) tried.Evaluate(DrawGenes(space, random));
    } else {
      Evolve(space, budget, known, tried, seed);
    }
    known.clear();
    for (const auto& [genes, entry] : tried.Front()) {
      known.push_back(genes);
      result.front.push_back(entry);
    }
    result.tried += tried.size();
    result.configurations += space.size();
  }
  return result;
}

double HypervolumeShare(const std::vector<PlanEntry>& found, const std::vector<PlanEntry>& all, int batch) {
  const auto points = [&](const std::vector<PlanEntry>& entries) {
    std::vector<Objectives> list;
    for (const PlanEntry& entry : entries) {
      if (entry.batch != batch) continue;
      Objectives point = SearchObjectives(entry);
      for (size_t i = 0; i + 1 < point.size(); ++i) point[i] = std::log1p(1e6 * point[i]);
      list.push_back(std::move(point));
    }
    std::vector<Objectives> front;
    for (const size_t i : ParetoFront(list)) front.push_back(list[i]);
    return front;
  };
  std::vector<Objectives> part = points(found), whole = points(all);
  if (whole.empty()) return 1;
  Objectives low = whole.front(), high = whole.front();
  for (const Objectives& point : whole) {
    for (size_t i = 0; i < point.size(); ++i) {
      low[i] = std::min(low[i], point[i]);
      high[i] = std::max(high[i], point[i]);
    }
  }
  for (std::vector<Objectives>* list : {&part, &whole}) {
    for (Objectives& point : *list) {
      for (size_t i = 0; i < point.size(); ++i)
        point[i] = high[i] > low[i] ? (point[i] - low[i]) / (high[i] - low[i]) : 0;
    }
  }
  const Objectives reference(low.size(), 1.1);
  return Hypervolume(part, reference) / Hypervolume(whole, reference);
}

}  // namespace strait
