#include "plan_files.h"

#include <filesystem>
#include <utility>

namespace split_inference {
namespace {

namespace fs = std::filesystem;
using strait::Result;
using strait::Status;
using strait::StatusCode;

constexpr size_t kMostSplitName = 255;  // a length of one byte on the wire

}  // namespace

bool Exists(const std::string& path) {
  std::error_code code;
  return fs::exists(path, code);
}

Result<PlanFiles> OpenPlan(const std::string& plan_path, const std::string& halves_dir, Half half) {
  PlanFiles files;
  STRAIT_ASSIGN_OR_RETURN(files.plan, strait::Plan::Load(plan_path));
  if (files.plan->models().empty()) {
    return Status(StatusCode::kUnsupported, plan_path + ": names no unit; nothing could be split");
  }
  for (const strait::PlanModel& model : files.plan->models()) {
    const std::string dir = (fs::path(halves_dir) / model.split).string();
    if (model.split.empty() || model.split.size() > kMostSplitName) {
      return Status(StatusCode::kUnsupported, plan_path + ": the name of a split has 1 to 255 bytes");
    }
    SplitFiles split = {model.split, nullptr, dir + "/head.ts", dir + "/tail.ts"};
    const std::string path = (fs::path(plan_path).parent_path() / model.file).string();  // absolute stays
    STRAIT_ASSIGN_OR_RETURN(split.model, strait::Model::Load(path));
    if (split.model->id() != model.id) {
      return Status(StatusCode::kModelMismatch,
                    path + ": is not the model that " + plan_path + " was made with; run strait-plan again");
    }
    const std::string& file = half == Half::kHead ? split.head_path : split.tail_path;
    if (!Exists(file)) {
      return Status(StatusCode::kIo, file + ": is missing; write it with strait-train export RUN --halves " + dir);
    }
    files.splits.push_back(std::move(split));
  }
  return files;
}

}  // namespace split_inference
