// The C interface: models.
#include "bindings/c/handles.h"

using strait::c::Call;
using strait::c::CheckGiven;
using strait::c::ErrorText;

namespace {

template <typename Load>
strait_status_t MakeModel(const strait_model_options_t* options, strait_model_t** model, ErrorText error,
                          const Load& load) {
  if (model != nullptr) *model = nullptr;
  return Call(error, [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(model, "model"));
    strait_model_options_t known = strait_model_options_default();
    const size_t first_bytes = offsetof(strait_model_options_t, max_transform_elements) + sizeof(int64_t);
    STRAIT_RETURN_IF_ERROR(strait::c::ReadStruct(options, first_bytes, "model options", known));
    STRAIT_ASSIGN_OR_RETURN(
        const strait::Limits limits,
        strait::c::ToLimits(known.max_model_bytes, known.max_tensor_elements, known.max_transform_elements));
    STRAIT_ASSIGN_OR_RETURN(std::shared_ptr<const strait::Model> loaded, load(limits));
    *model = new strait_model{std::move(loaded)};
    return strait::Status();
  });
}

}  // namespace

strait_status_t strait_model_load(const char* path, const strait_model_options_t* options, strait_model_t** model,
                                  char* error, size_t error_bytes) {
  using Loaded = strait::Result<std::shared_ptr<const strait::Model>>;
  return MakeModel(options, model, ErrorText(error, error_bytes), [&](const strait::Limits& limits) -> Loaded {
    STRAIT_RETURN_IF_ERROR(CheckGiven(path, "path"));
    return strait::Model::Load(path, limits);
  });
}

strait_status_t strait_model_from_memory(const void* bytes, size_t num_bytes, const strait_model_options_t* options,
                                         strait_model_t** model, char* error, size_t error_bytes) {
  using Loaded = strait::Result<std::shared_ptr<const strait::Model>>;
  return MakeModel(options, model, ErrorText(error, error_bytes), [&](const strait::Limits& limits) -> Loaded {
    STRAIT_ASSIGN_OR_RETURN(const auto span, strait::c::ToBytes(bytes, num_bytes, "bytes"));
    return strait::Model::FromBytes(span, limits);
  });
}

void strait_model_free(strait_model_t* model) { delete model; }

strait_status_t strait_model_get_info(const strait_model_t* model, strait_model_info_t* info) {
  return Call(ErrorText(nullptr, 0), [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(model, "model"));
    const strait::Model& facts = *model->model;
    strait_model_info_t known = strait_model_info_default();
    known.id = facts.id();
    known.feature_shape = strait::c::FromShape(facts.feature_shape());
    known.latent_shape = strait::c::FromShape(facts.latent_shape());
    known.num_levels = facts.levels().size();
    known.manifest = facts.manifest().c_str();
    known.manifest_bytes = facts.manifest().size();
    known.analysis_macs = facts.analysis_macs();
    known.synthesis_macs = facts.synthesis_macs();
    known.analysis_params = facts.analysis_params();
    known.synthesis_params = facts.synthesis_params();
    const size_t first_bytes = offsetof(strait_model_info_t, synthesis_params) + sizeof(int64_t);
    return strait::c::WriteStruct(known, first_bytes, "info", info);
  });
}

strait_status_t strait_model_get_level(const strait_model_t* model, size_t level, strait_level_info_t* info) {
  return Call(ErrorText(nullptr, 0), [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(model, "model"));
    const std::vector<strait::LevelInfo>& levels = model->model->levels();
    if (level >= levels.size()) return strait::c::InvalidArgument({"level: the model has fewer"});
    strait_level_info_t known = strait_level_info_default();
    known.lambda = levels[level].lambda;
    known.bytes_per_sample = levels[level].bytes_per_sample;
    known.top1 = levels[level].top1;
    const size_t first_bytes = offsetof(strait_level_info_t, top1) + sizeof(double);
    return strait::c::WriteStruct(known, first_bytes, "info", info);
  });
}
