#include "training/coded_splits.h"

#include <algorithm>
#include <filesystem>

#include "entropy/error.h"
#include "training/run_models.h"

namespace strait {
namespace {

Status CheckModel(const Model& model, const std::string& file, const std::string& split, const Backbone& backbone,
                  const std::string& backbone_file) {
  const std::string hash = BackboneHashOf(model);
  if (hash != backbone.hash()) {
    return Error(StatusCode::kModelMismatch, file, ": trained with backbone ",
                 hash.empty() ? "(not recorded)" : hash, ", but ", backbone_file, " is ", backbone.hash(),
                 "; give runs of this network");
  }
  const std::vector<SplitInfo>& splits = backbone.splits();
  const auto found =
      std::find_if(splits.begin(), splits.end(), [&](const SplitInfo& info) { return info.name == split; });
  if (found != splits.end() && found->shape == model.feature_shape()) return Status();
  return Error(StatusCode::kModelMismatch, file, ": restores ", ToString(model.feature_shape()), " at ", split,
               ", but an input of ", ToString(backbone.input_shape()), " gives ",
               found == splits.end() ? "no such split" : ToString(found->shape), "; give the run's own --input");
}

}  // namespace

Result<std::vector<CodedSplit>> ReadCodedSplits(const std::string& run_dir, const Backbone& backbone,
                                                const std::string& backbone_file) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<SplitModels> found, FindSplitModels(run_dir));
  std::vector<CodedSplit> coded;
  for (const SplitModels& models : found) {
    CodedSplit one{models.split, std::filesystem::path(models.files.front()).parent_path().string(), {}};
    for (const std::string& file : models.files) {
      STRAIT_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, Model::Load(file));
      STRAIT_RETURN_IF_ERROR(CheckModel(*model, file, models.split, backbone, backbone_file));
      one.levels.insert(one.levels.end(), model->levels().begin(), model->levels().end());
    }
    coded.push_back(std::move(one));
  }
  return coded;
}

}  // namespace strait
