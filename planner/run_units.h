// The units that profiles and plans are made of: those of run directories, one with levels at each split.
#pragma once

#include <string>
#include <vector>

#include "strait/result.h"
#include "training/recipe.h"

namespace strait {

struct RunUnit {
  std::string split;
  std::string file;  // model file
};

// Of run directories, also of several splits, in their order; at least one directory. Errors: those of
// FindSplitModels; kUnsupported for units of a single rate each.
Result<std::vector<RunUnit>> FindRunUnits(const std::vector<std::string>& run_dirs);

// The folder of a unit's run, and the recipe in it.
std::string RunDirOf(const RunUnit& unit);
Result<Recipe> RecipeOf(const RunUnit& unit);

}  // namespace strait
