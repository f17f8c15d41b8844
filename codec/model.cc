#include "strait/model.h"

#include "codec/file_io.h"
#include "codec/model_format.h"
#include "codec/model_impl.h"
#include "codec/no_throw.h"
#include "entropy/checksum.h"
#include "entropy/error.h"

namespace strait {

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
    STRAIT_ASSIGN_OR_RETURN(impl->entropy, EntropyModel::Create(impl->spec));
    impl->analysis = PlanTransform(impl->spec.analysis);
    impl->synthesis = PlanTransform(impl->spec.synthesis);
    impl->id = Xxh3_64(bytes);
    impl->manifest = std::move(parsed.manifest);
    impl->analysis_macs = CountMacs(impl->spec.analysis, WithBatch(1, impl->spec.feature_shape));
    impl->synthesis_macs = CountMacs(impl->spec.synthesis, WithBatch(1, impl->spec.latent_shape));
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

}  // namespace strait
