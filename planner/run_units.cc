#include "planner/run_units.h"

#include <filesystem>

#include "entropy/error.h"
#include "training/run_models.h"

namespace strait {

Result<std::vector<RunUnit>> FindRunUnits(const std::vector<std::string>& run_dirs) {
  std::vector<RunUnit> units;
  for (const std::string& dir : run_dirs) {
    STRAIT_ASSIGN_OR_RETURN(const std::vector<SplitModels> runs, FindSplitModels(dir));
    for (const SplitModels& run : runs) {
      if (run.files.size() != 1) {
        return Error(StatusCode::kUnsupported, run.files.front(), ": is one of ", run.files.size(),
                     " units of a single rate; a plan wants one unit with levels at a split (family \"strait\")");
      }
      units.push_back({run.split, run.files.front()});
    }
  }
  return units;
}

std::string RunDirOf(const RunUnit& unit) { return std::filesystem::path(unit.file).parent_path().string(); }

Result<Recipe> RecipeOf(const RunUnit& unit) { return LoadRecipe(RunDirOf(unit) + "/recipe.toml", {}); }

}  // namespace strait
