#include "training/run_state.h"

#include <filesystem>

#include "entropy/error.h"
#include "training/run_models.h"

namespace strait {

Status AdoptRecipe(const Checkpoint& checkpoint, const std::string& dir, Recipe& recipe) {
  const std::string path = dir + "/checkpoint.pt";
  STRAIT_ASSIGN_OR_RETURN(const Recipe saved, ParseRecipe(checkpoint.recipe_toml, path, {}));
  if (recipe.train.precision == PrecisionKind::kAuto) recipe.train.precision = saved.train.precision;
  if (ToToml(LearningRecipe(recipe)) == ToToml(LearningRecipe(saved))) return Status();
  return Error(StatusCode::kInvalidArgument, path, ": made with another recipe than ", recipe.path,
               "; resume with ", dir, "/recipe.toml");
}

Status CheckBackbone(const Checkpoint& checkpoint, const std::string& dir, const std::string& file,
                     const std::string& backbone_hash) {
  if (checkpoint.backbone_hash == backbone_hash) return Status();
  return Error(StatusCode::kInvalidArgument, dir, "/checkpoint.pt: made with backbone ", checkpoint.backbone_hash,
               ", but ", file, " is ", backbone_hash, "; restore the file or start a new run");
}

Result<RunState> ReadRunState(const std::string& dir, Recipe recipe, const std::string& backbone_hash) {
  std::error_code error;
  if (!std::filesystem::exists(dir + "/checkpoint.pt", error)) return RunState::kNotStarted;
  STRAIT_ASSIGN_OR_RETURN(const Checkpoint checkpoint, LoadCheckpoint(dir + "/checkpoint.pt"));
  STRAIT_RETURN_IF_ERROR(AdoptRecipe(checkpoint, dir, recipe));
  STRAIT_RETURN_IF_ERROR(CheckBackbone(checkpoint, dir, recipe.backbone.file, backbone_hash));
  // rd.csv is the last file that a run writes, when all of its models are there.
  const bool finished = FindModels(dir).ok() && std::filesystem::exists(dir + "/rd.csv", error);
  // Another [export] wants other models of what was learnt; recipe.toml has that of the models which are there.
  Result<Recipe> exported = LoadRecipe(dir + "/recipe.toml", {});
  if (!finished || !exported.ok()) return RunState::kUnfinished;
  const std::string written = ToToml(*exported);
  exported->export_ = recipe.export_;
  return ToToml(*exported) == written ? RunState::kFinished : RunState::kUnfinished;
}

}  // namespace strait
