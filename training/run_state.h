// What a run directory's checkpoint says of its run: whether this recipe and this network may continue it, and
// whether there is anything left to do.
#pragma once

#include <string>

#include "strait/result.h"
#include "training/checkpoint.h"
#include "training/recipe.h"

namespace strait {

// The recipe must be the one that DIR/checkpoint.pt was made with, but for what changes nothing that is learnt
// (caches, threads, validation, export); a precision left to "auto" is what the run has chosen. kInvalidArgument
// says what to resume with.
Status AdoptRecipe(const Checkpoint& checkpoint, const std::string& dir, Recipe& recipe);

// kInvalidArgument naming both hashes when the checkpoint belongs to another network than `file`.
Status CheckBackbone(const Checkpoint& checkpoint, const std::string& dir, const std::string& file,
                     const std::string& backbone_hash);

enum class RunState { kNotStarted, kUnfinished, kFinished };

// Of the run of `recipe` in DIR. Errors: a damaged checkpoint, or one of another recipe or network.
Result<RunState> ReadRunState(const std::string& dir, Recipe recipe, const std::string& backbone_hash);

}  // namespace strait
