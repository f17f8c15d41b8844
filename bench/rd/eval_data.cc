#include "bench/rd/eval_data.h"

#include <utility>

#include "entropy/error.h"
#include "training/feature_source.h"
#include "training/run_log.h"
#include "training/source_data.h"
#include "training/tail.h"
#include "training/torch_status.h"

namespace strait {
namespace {

// Runs move between machines, and their recipes name paths of the one they were trained on.
template <typename T>
Result<T> WithRemedy(Result<T> found, const char* option) {
  if (found.status().code() != StatusCode::kIo) return found;
  return Error(StatusCode::kIo, found.status().message(), "; ", option, " says where it lies now");
}

}  // namespace

Result<EvalData> BuildEvalData(const Recipe& run_recipe, const EvalDataOptions& options) {
  Recipe recipe = run_recipe;
  if (!options.backbone_file.empty()) recipe.backbone.file = options.backbone_file;
  if (!options.data_spec.empty()) recipe.data.spec = options.data_spec;
  if (options.samples > 0) recipe.data.val_samples = options.samples;
  recipe.data.preprocess.augment = false;
  STRAIT_ASSIGN_OR_RETURN(Backbone backbone,
                          WithRemedy(Backbone::Load(recipe.backbone.file, recipe.backbone.input), "--backbone"));
  STRAIT_ASSIGN_OR_RETURN(SplitNetwork network, backbone.Cut(recipe.split.point));
  STRAIT_ASSIGN_OR_RETURN(SourceData source,
                          WithRemedy(OpenSourceData(recipe, Subset::kValidation, network.info.shape), "--data"));
  const std::string what = recipe.backbone.file + " on " + recipe.data.spec;
  STRAIT_ASSIGN_OR_RETURN(ValidationFeatures validation,
                          CatchTorch(StatusCode::kInvalidArgument, what, [&]() -> Result<ValidationFeatures> {
                            STRAIT_ASSIGN_OR_RETURN(const Tail tail,
                                                    Tail::Create(network, /*tapped=*/false, torch::kCPU));
                            return BuildEvalSet(recipe, source, network, tail, torch::kCPU);
                          }));
  return EvalData{recipe.data.spec,         recipe.backbone.file,         recipe.data.preprocess,
                  std::move(backbone),      std::move(network),           std::move(validation.set),
                  std::move(source.images), std::move(validation.indices)};
}

Result<std::vector<Image>> LoadCrops(const EvalData& data) {
  if (!data.images) {
    return Error(StatusCode::kInvalidArgument,
                 "the data set holds features, no images: leave out the baselines jpeg, webp, png, avif and hevc");
  }
  std::vector<Image> crops;
  crops.reserve(data.indices.size());
  Progress progress("crops", static_cast<int64_t>(data.indices.size()));
  for (const size_t index : data.indices) {
    STRAIT_ASSIGN_OR_RETURN(const Sample sample, data.images->Get(index));
    STRAIT_ASSIGN_OR_RETURN(Image crop, ResizeAndCrop(sample.image, data.preprocess));
    crops.push_back(std::move(crop));
    progress.Update(static_cast<int64_t>(crops.size()), "");
  }
  progress.Finish();
  return crops;
}

torch::Tensor ToInput(const std::vector<Image>& images, size_t first, size_t count, const Preprocess& preprocess) {
  const Image& front = images[first];
  torch::Tensor input = torch::empty({static_cast<int64_t>(count), 3, front.height, front.width});
  const int64_t elements = int64_t{3} * front.height * front.width;
  for (size_t i = 0; i < count; ++i) {
    Normalize(images[first + i], preprocess, input.data_ptr<float>() + static_cast<int64_t>(i) * elements);
  }
  return input;
}

}  // namespace strait
