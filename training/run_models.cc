#include "training/run_models.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "entropy/error.h"
#include "training/recipe.h"

namespace strait {

Result<std::vector<std::string>> FindModels(const std::string& dir) {
  std::error_code error;
  const std::string single = dir + "/model.strait";
  if (std::filesystem::exists(single, error)) return std::vector{single};
  std::vector<std::string> files;
  for (std::string file = dir + "/model-0.strait"; std::filesystem::exists(file, error);
       file = fmt::format("{}/model-{}.strait", dir, files.size())) {
    files.push_back(file);
  }
  if (!files.empty()) return files;
  if (const Result<Recipe> recipe = LoadRecipe(dir + "/recipe.toml", {});
      recipe.ok() && !recipe->split.points.empty()) {
    return Error(StatusCode::kInvalidArgument, dir, ": holds a unit for each of several splits; give one of ",
                 fmt::format("{0}/{1}", dir, fmt::join(recipe->split.points, ", " + dir + "/")));
  }
  return Error(StatusCode::kIo, single, ": not found; run `strait-train run` first");
}

Result<std::vector<SplitModels>> FindSplitModels(const std::string& dir) {
  const Result<Recipe> recipe = LoadRecipe(dir + "/recipe.toml", {});
  std::vector<SplitModels> found;
  if (!recipe.ok() || recipe->split.points.empty()) {
    STRAIT_ASSIGN_OR_RETURN(std::vector<std::string> files, FindModels(dir));
    STRAIT_RETURN_IF_ERROR(recipe.status());
    found.push_back({recipe->split.point, std::move(files)});
  }
  for (const std::string& split : recipe->split.points) {
    Result<std::vector<std::string>> files = FindModels(dir + "/" + split);
    if (!files.ok()) {
      return Error(StatusCode::kIo, dir, "/", split, ": holds no model; continue the run with `strait-train run ",
                   dir, "/recipe.toml --out ", dir, " --resume`");
    }
    found.push_back({split, std::move(files).value()});
  }
  return found;
}

Result<std::vector<std::shared_ptr<const Model>>> LoadModels(const std::vector<std::string>& files) {
  std::vector<std::shared_ptr<const Model>> models;
  for (const std::string& file : files) {
    STRAIT_ASSIGN_OR_RETURN(std::shared_ptr<const Model> model, Model::Load(file));
    models.push_back(std::move(model));
  }
  return models;
}

std::string BackboneHashOf(const Model& model) {
  const auto manifest = nlohmann::json::parse(model.manifest(), nullptr, /*allow_exceptions=*/false);
  const nlohmann::json::json_pointer pointer("/provenance/backbone_hash");
  if (!manifest.is_object() || !manifest.contains(pointer) || !manifest[pointer].is_string()) return "";
  return manifest[pointer].get<std::string>();
}

}  // namespace strait
