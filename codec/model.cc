#include "strait/model.h"

#include <algorithm>

#include "codec/file_io.h"
#include "codec/model_format.h"
#include "codec/model_impl.h"
#include "codec/no_throw.h"
#include "entropy/checksum.h"
#include "entropy/error.h"

namespace strait {
namespace {

Shape WithBatch(const Shape& sample, int64_t batch) {
  Shape shape = sample;
  shape.insert(shape.begin(), batch);
  return shape;
}

// "a multiple of 2 for height and 2 for width", from how far the default shape is reduced.
std::string SizesWanted(const ModelSpec& spec) {
  if (spec.feature_shape.size() == 2) return "the tokens are " + std::to_string(spec.feature_shape[0]);
  const auto ratio = [&](int axis) {
    const int64_t step = (spec.feature_shape[axis] + spec.latent_shape[axis] - 1) / spec.latent_shape[axis];
    return std::to_string(std::max<int64_t>(step, 1));
  };
  return "height is a multiple of " + ratio(1) + " and width a multiple of " + ratio(2);
}

}  // namespace

Result<std::shared_ptr<const Model>> Model::Load(const std::string& path, const Limits& limits) {
  return NoThrow("load model", [&]() -> Result<std::shared_ptr<const Model>> {
    STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path, limits.max_model_bytes));
    Result<std::shared_ptr<const Model>> model = FromBytes(bytes, limits);
    if (!model.ok()) return Error(model.status().code(), path, ": ", model.status().message());
    return model;
  });
}

Result<std::shared_ptr<const Model>> Model::FromBytes(std::span<const uint8_t> bytes, const Limits& limits) {
  return NoThrow("load model", [&]() -> Result<std::shared_ptr<const Model>> {
    STRAIT_ASSIGN_OR_RETURN(ParsedModel parsed, ParseModelFile(bytes, limits));
    auto impl = std::make_unique<ModelImpl>();
    impl->spec = std::move(parsed.spec);
    STRAIT_ASSIGN_OR_RETURN(impl->tables, CdfTableSet::Create(std::move(impl->spec.tables), impl->spec.precision));
    impl->spec.tables.clear();
    impl->id = Xxh3_64(bytes);
    impl->manifest = std::move(parsed.manifest);
    impl->analysis_macs = CountMacs(impl->spec.analysis, WithBatch(impl->spec.feature_shape, 1));
    impl->synthesis_macs = CountMacs(impl->spec.synthesis, WithBatch(impl->spec.latent_shape, 1));
    return std::shared_ptr<const Model>(std::make_shared<Model>(std::unique_ptr<const ModelImpl>(std::move(impl))));
  });
}

Model::Model(std::unique_ptr<const ModelImpl> impl) : impl_(std::move(impl)) {}
Model::~Model() = default;

uint64_t Model::id() const { return impl_->id; }
const Shape& Model::feature_shape() const { return impl_->spec.feature_shape; }
const Shape& Model::latent_shape() const { return impl_->spec.latent_shape; }
const std::vector<LevelInfo>& Model::levels() const { return impl_->spec.levels; }
const std::string& Model::manifest() const { return impl_->manifest; }
int64_t Model::analysis_macs() const { return impl_->analysis_macs; }
int64_t Model::synthesis_macs() const { return impl_->synthesis_macs; }
int64_t Model::analysis_params() const { return CountParams(impl_->spec.analysis); }
int64_t Model::synthesis_params() const { return CountParams(impl_->spec.synthesis); }

std::string ModelIdText(uint64_t id) {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[(id >> shift) & 0xf];
  return text;
}

Result<Shape> LatentShapeOf(const ModelImpl& model, const Shape& feature_shape, const Limits& limits) {
  const ModelSpec& spec = model.spec;
  const Shape wanted = WithBatch(spec.feature_shape, 1);
  const size_t channel_axis = wanted.size() == 4 ? 1 : 2;
  if (feature_shape.size() != wanted.size() || feature_shape[channel_axis] != wanted[channel_axis] ||
      std::ranges::any_of(feature_shape, [](int64_t dim) { return dim < 1; })) {
    return Error(StatusCode::kInvalidArgument, "shape ", ToString(feature_shape), ": model ", ModelIdText(model.id),
                 " wants Nx", ToString(spec.feature_shape));
  }
  const Result<Shape> latent = InferShape(spec.analysis, feature_shape, limits);
  if (!latent.ok() && latent.status().code() == StatusCode::kLimitExceeded) return latent.status();
  if (latent.ok()) {
    const Result<Shape> restored = InferShape(spec.synthesis, *latent, limits);
    if (!restored.ok() && restored.status().code() == StatusCode::kLimitExceeded) return restored.status();
    if (restored.ok() && *restored == feature_shape) return latent;
  }
  return Error(StatusCode::kUnsupported, "shape ", ToString(feature_shape), ": model ", ModelIdText(model.id),
               " cannot restore this size; pad or crop so that ", SizesWanted(spec));
}

}  // namespace strait
