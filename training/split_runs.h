// Trains a unit at each of several splits, one after another, into one run directory.
#pragma once

#include "strait/result.h"
#include "training/recipe.h"
#include "training/trainer.h"

namespace strait {

// `recipe` has split.points. OUT/recipe.toml becomes the whole recipe, OUT/SPLIT an ordinary run directory for each
// split. Every split and its unit are checked before the first is trained. options.resume skips finished splits,
// continues an unfinished one and starts the others, also such as were added to the recipe since;
// options.stop_after_steps counts each split's own steps. Errors: those of RequireForRun, Backbone and RunTraining,
// naming the split.
Status RunSplits(const Recipe& recipe, const RunOptions& options);

}  // namespace strait
