// Trains the bottleneck unit of a recipe against the frozen network and exports it.
#pragma once

#include <string>

#include "strait/result.h"
#include "training/recipe.h"

namespace strait {

struct RunOptions {
  std::string out_dir;           // created; holds recipe.toml, metrics.jsonl, checkpoint.pt, model*.strait, rd.csv
  bool resume = false;           // continue from out_dir/checkpoint.pt to the result of an uninterrupted run
  std::string whole_dir = {};    // of a run of several splits that out_dir is a part of: what a user resumes
  int64_t stop_after_steps = 0;  // end early as an interrupted run does, checkpoint written; 0: run to the end
};

// Runs the recipe to its end. SIGINT and SIGTERM write a checkpoint first and return kIo "interrupted ...".
Status RunTraining(const Recipe& recipe, const RunOptions& options);

}  // namespace strait
