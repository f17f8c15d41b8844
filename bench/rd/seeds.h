// Runs of one recipe with different seeds as one codec: means and their spread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/rd/bd_rate.h"
#include "bench/rd/curves.h"
#include "strait/result.h"
#include "training/evaluate.h"
#include "training/recipe.h"

namespace strait {

// Whether two recipes differ in seeds alone (and in what changes no result, caches, threads and validation while
// training, or none beyond rounding: the precision that training timed as the faster).
bool DifferInSeedsAlone(const Recipe& a, const Recipe& b);

// Indices of runs, a group for each recipe, in order of first appearance; `paths` name the runs. kInvalidArgument
// when two have the same seeds as well: one run measured twice says nothing about spread.
Result<std::vector<std::vector<size_t>>> GroupBySeed(const std::vector<Recipe>& recipes,
                                                     const std::vector<std::string>& paths);

// Rows of one codec measured at the same levels with each seed: their mean, and the sample standard deviation of
// each number.
struct SeedCurves {
  std::vector<std::vector<RdPoint>> seeds;
  std::vector<RdPoint> mean;       // codec and level of the first seed's
  std::vector<RdPoint> deviation;  // 0 of a single seed
};
// kInvalidArgument when the curves have different levels.
Result<SeedCurves> MeanOfSeeds(std::vector<std::vector<RdPoint>> seeds);

// Bytes, accuracy and agreement of every level with their deviations, of codecs with more than one seed; empty
// without one.
std::string SeedTable(const std::vector<SeedCurves>& codecs);

// BD-rates of each seed of a codec over the mean curve of another.
struct SeedBdRates {
  std::string codec, reference;
  std::vector<std::optional<double>> percent;  // of each seed; nullopt where the curves do not overlap enough
  std::optional<double> mean, deviation;       // nullopt without that of every seed
};
// Every pair of a codec with more than one seed and another codec of `rows` that has a BD-rate for one seed at
// least.
std::vector<SeedBdRates> FindSeedBdRates(const std::vector<SeedCurves>& codecs, const std::vector<RdPoint>& rows,
                                         RdColumn over = &RdPoint::top1);

// A line a pair; empty without one. `heading` is that of the column of references.
std::string SeedBdTable(const std::vector<SeedBdRates>& rates, const std::string& heading = "over");

}  // namespace strait
