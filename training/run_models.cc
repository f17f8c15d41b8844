#include "training/run_models.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "entropy/error.h"

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
  if (files.empty()) return Error(StatusCode::kIo, single, ": not found; run `strait-train run` first");
  return files;
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
