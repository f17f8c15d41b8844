#include "training/halves_export.h"

#include <fmt/format.h>

#include <filesystem>
#include <sstream>
#include <vector>

#include "codec/file_io.h"
#include "entropy/error.h"
#include "training/source_data.h"
#include "training/torch_status.h"

namespace strait {
namespace {

Status MakeDirectory(const std::string& dir) {
  if (dir.empty()) return Status();  // the working directory
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) return Error(StatusCode::kIo, dir, ": cannot be created: ", error.message());
  return Status();
}

std::vector<double> ToDoubles(const float (&values)[3]) { return {values, values + 3}; }

void RegisterPreprocess(torch::jit::Module& head, const Recipe& recipe) {
  const auto add = [&](const std::string& name, const c10::TypePtr& type, c10::IValue value) {
    head.register_attribute(name, type, std::move(value));
  };
  const Preprocess& preprocess = recipe.data.preprocess;
  add("input_shape", c10::ListType::ofInts(), recipe.backbone.input);
  add("resize", c10::IntType::get(), int64_t{preprocess.resize});
  add("crop", c10::IntType::get(), int64_t{preprocess.crop});
  add("mean", c10::ListType::ofFloats(), ToDoubles(preprocess.mean));
  add("std", c10::ListType::ofFloats(), ToDoubles(preprocess.std));
}

}  // namespace

Result<SplitNetwork> CutForRecipe(const Recipe& recipe, const std::string& backbone_hash) {
  STRAIT_ASSIGN_OR_RETURN(const Backbone backbone, Backbone::Load(recipe.backbone.file, recipe.backbone.input));
  if (!backbone_hash.empty() && backbone_hash != backbone.hash()) {
    return Error(StatusCode::kModelMismatch, recipe.backbone.file, ": is backbone ", backbone.hash(),
                 ", but the model was trained with ", backbone_hash, "; give the right file with --backbone");
  }
  return backbone.Cut(recipe.split.point);
}

Status WriteModule(const torch::jit::Module& module, const std::string& path) {
  STRAIT_RETURN_IF_ERROR(MakeDirectory(std::filesystem::path(path).parent_path().string()));
  std::ostringstream stream;
  STRAIT_RETURN_IF_ERROR(CatchTorch(StatusCode::kInternal, path, [&] {
    module.save(stream);
    return Status();
  }));
  return WriteTextAtomic(path, stream.str());
}

Status WriteHalves(const SplitNetwork& network, const Recipe& recipe, const std::string& dir) {
  torch::jit::Module head = network.head;
  STRAIT_RETURN_IF_ERROR(CatchTorch(StatusCode::kInternal, dir + "/head.ts", [&] {
    RegisterPreprocess(head, recipe);
    return Status();
  }));
  STRAIT_RETURN_IF_ERROR(WriteModule(head, dir + "/head.ts"));
  return WriteModule(network.tail, dir + "/tail.ts");
}

Status WriteImages(const Recipe& recipe, int64_t count, const std::string& dir) {
  STRAIT_ASSIGN_OR_RETURN(const SourceData data, OpenSourceData(recipe, Subset::kValidation, {}));
  if (!data.images) {
    return Error(StatusCode::kInvalidArgument, recipe.path, ": data.spec = \"", recipe.data.spec,
                 "\" holds features, not images");
  }
  STRAIT_RETURN_IF_ERROR(MakeDirectory(dir));
  const auto& classes = data.images->class_names();
  for (size_t i = 0; i < std::min(static_cast<size_t>(count), data.images->size()); ++i) {
    STRAIT_ASSIGN_OR_RETURN(const Sample sample, data.images->Get(i));
    const Image& image = sample.image;
    const auto label = static_cast<size_t>(sample.label);
    const std::string name = label < classes.size() ? classes[label] : std::to_string(label);
    std::string ppm = fmt::format("P6\n{} {}\n255\n", image.width, image.height);
    ppm.append(image.pixels.begin(), image.pixels.end());
    STRAIT_RETURN_IF_ERROR(WriteTextAtomic(fmt::format("{}/{:04}-{}.ppm", dir, i, name), ppm));
  }
  return Status();
}

}  // namespace strait
