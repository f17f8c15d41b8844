// A plan and the files that running it takes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "strait/controller.h"
#include "strait/model.h"
#include "strait/result.h"

namespace split_inference {

struct SplitFiles {
  std::string split;
  std::shared_ptr<const strait::Model> model;
  std::string head_path, tail_path;  // written by strait-train export --halves
};

struct PlanFiles {
  std::shared_ptr<const strait::Plan> plan;
  std::vector<SplitFiles> splits;  // one at least
};

enum class Half { kHead, kTail };

// Loads a plan and the models it names, whose ids must be the plan's; `half` of each split must lie in
// `halves_dir`/SPLIT. Errors name the file and what to do.
strait::Result<PlanFiles> OpenPlan(const std::string& plan_path, const std::string& halves_dir, Half half);

bool Exists(const std::string& path);

}  // namespace split_inference
