#include "bench/rd/eval_data.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>
#include <thread>

#include "datasets/loader.h"
#include "datasets/subset.h"
#include "entropy/error.h"
#include "training/run_log.h"
#include "training/torch_status.h"

namespace strait {
namespace {

constexpr int kBatchSize = 64;

Status CollectEvalSet(EvalData& data) {
  torch::NoGradGuard no_grad;
  LoaderOptions options;
  options.batch_size = kBatchSize;
  options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  Loader loader(*data.dataset, data.preprocess, options, /*epoch=*/0);
  std::vector<torch::Tensor> features, labels, logits;
  Progress progress("unsplit network", static_cast<int64_t>(data.dataset->size()));
  while (true) {
    STRAIT_ASSIGN_OR_RETURN(const std::optional<Batch> batch, loader.Next());
    if (!batch) break;
    if (batch->size == 0) continue;
    torch::Tensor pixels = torch::empty({batch->size, 3, batch->height, batch->width});
    std::memcpy(pixels.data_ptr<float>(), batch->pixels.data(), batch->pixels.size() * sizeof(float));
    features.push_back(data.network.head.forward({pixels}).toTensor().contiguous());
    logits.push_back(data.network.tail.forward({features.back()}).toTensor().contiguous());
    labels.push_back(torch::tensor(batch->labels, torch::kLong));
    data.indices.insert(data.indices.end(), batch->indices.begin(), batch->indices.end());
    progress.Update(static_cast<int64_t>(data.indices.size()), "");
  }
  progress.Finish();
  for (const std::string& line : loader.skipped()) std::fprintf(stderr, "skipped %s\n", line.c_str());
  if (features.empty()) return Error(StatusCode::kInvalidArgument, "data: no validation image could be read");
  data.set = {torch::cat(features), torch::cat(labels), torch::cat(logits)};
  return {};
}

}  // namespace

Result<EvalData> BuildEvalData(const Recipe& recipe, const EvalDataOptions& options) {
  const std::string& file = options.backbone_file.empty() ? recipe.backbone.file : options.backbone_file;
  const std::string& spec = options.data_spec.empty() ? recipe.data.spec : options.data_spec;
  STRAIT_ASSIGN_OR_RETURN(Backbone backbone, Backbone::Load(file, recipe.backbone.input));
  STRAIT_ASSIGN_OR_RETURN(SplitNetwork network, backbone.Cut(recipe.split.point));
  STRAIT_ASSIGN_OR_RETURN(std::unique_ptr<Dataset> dataset, OpenDataset(spec, Subset::kValidation));
  const int64_t samples = options.samples > 0 ? options.samples : recipe.data.val_samples;
  EvalData data{recipe.data.preprocess,
                std::move(backbone),
                std::move(network),
                {},
                TakeSubset(std::move(dataset), samples),
                {}};
  data.preprocess.augment = false;
  STRAIT_RETURN_IF_ERROR(
      CatchTorch(StatusCode::kInvalidArgument, file + " on " + spec, [&] { return CollectEvalSet(data); }));
  return data;
}

Result<std::vector<Image>> LoadCrops(const EvalData& data) {
  std::vector<Image> crops;
  crops.reserve(data.indices.size());
  Progress progress("crops", static_cast<int64_t>(data.indices.size()));
  for (const size_t index : data.indices) {
    STRAIT_ASSIGN_OR_RETURN(const Sample sample, data.dataset->Get(index));
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
