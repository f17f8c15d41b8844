#include "training/source_data.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "codec/file_io.h"
#include "codec/npy.h"
#include "datasets/subset.h"
#include "entropy/error.h"
#include "training/torch_shape.h"

namespace strait {
namespace {

constexpr const char kNpyScheme[] = "npy:";
constexpr int64_t kMaxElements = int64_t{1} << 33;  // 32 GiB of float32: the user's own file, not a frame

Result<Tensor> ReadArray(const std::string& path) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path, kMaxElements * 8));
  Result<Tensor> array = ParseNpy(bytes, {.max_tensor_elements = kMaxElements});
  if (!array.ok()) return Status(array.status().code(), path + ": " + std::string(array.status().message()));
  return array;
}

torch::Tensor ToTorch(Tensor& array) { return torch::from_blob(array.data.data(), SizesOf(array.shape)).clone(); }

Result<torch::Tensor> ReadFeatures(const std::string& path, const Shape& feature_shape) {
  STRAIT_ASSIGN_OR_RETURN(Tensor array, ReadArray(path));
  const Shape want = WithBatch(array.shape.empty() ? 0 : array.shape[0], feature_shape);
  if (array.shape != want || want[0] == 0) {
    return Error(StatusCode::kInvalidArgument, path, ": array ", ToString(array.shape),
                 ", wanted [N, ...] with samples of ", ToString(feature_shape),
                 ", what the head gives at split.point");
  }
  return ToTorch(array);
}

Result<torch::Tensor> ReadLabels(const std::string& path, int64_t samples) {
  STRAIT_ASSIGN_OR_RETURN(Tensor array, ReadArray(path));
  if (array.shape != Shape{samples}) {
    return Error(StatusCode::kInvalidArgument, path, ": array ", ToString(array.shape),
                 ", wanted one label for each of ", samples, " features");
  }
  const torch::Tensor values = ToTorch(array);
  if (!torch::equal(values, values.round()) || values.min().item<float>() < 0) {
    return Error(StatusCode::kInvalidArgument, path, ": labels are class numbers from 0, found ",
                 values.min().item<float>());
  }
  return values.to(torch::kLong);
}

Result<SourceData> OpenArrays(const Recipe& recipe, const std::string& folder, int64_t samples,
                              const Shape& feature_shape) {
  SourceData data;
  STRAIT_ASSIGN_OR_RETURN(data.features, ReadFeatures(folder + "/features.npy", feature_shape));
  const std::string labels = folder + "/labels.npy";
  if (std::filesystem::exists(labels)) {
    STRAIT_ASSIGN_OR_RETURN(data.labels, ReadLabels(labels, data.size()));
  } else if (recipe.loss.kind == LossKind::kTask) {
    return Error(StatusCode::kIo, labels,
                 ": not found, but loss.kind = \"task\" needs labels; use \"distill\" or add the file");
  }
  if (samples > 0 && samples < data.size()) {  // evenly spread: arrays often lie class by class
    const torch::Tensor rows = torch::arange(samples, torch::kLong) * data.size() / samples;
    const torch::Tensor index = rows.to(torch::kLong);
    data.features = data.features.index_select(0, index);
    if (data.labels.defined()) data.labels = data.labels.index_select(0, index);
  }
  return data;
}

}  // namespace

Result<SourceData> OpenSourceData(const Recipe& recipe, Subset subset, const Shape& feature_shape) {
  const bool train = subset == Subset::kTrain;
  const int64_t samples = train ? recipe.data.train_samples : recipe.data.val_samples;
  const std::string& spec = recipe.data.spec;
  if (spec.rfind(kNpyScheme, 0) == 0) {
    const std::string folder = spec.substr(sizeof(kNpyScheme) - 1);
    if (folder.empty())
      return Error(StatusCode::kInvalidArgument, "data set '", spec, "': wanted a folder, as in npy:DIR");
    return OpenArrays(recipe, folder + (train ? "/train" : "/val"), samples, feature_shape);
  }
  SourceData data;
  STRAIT_ASSIGN_OR_RETURN(data.images, OpenDataset(spec, subset));
  data.images = TakeSubset(std::move(data.images), samples);
  return data;
}

}  // namespace strait
