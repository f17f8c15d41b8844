// The C interface: plans.
#include "bindings/c/handles.h"

using strait::c::Call;
using strait::c::CheckGiven;
using strait::c::ErrorText;

static_assert(STRAIT_LOCAL == static_cast<int>(strait::Route::kLocal));
static_assert(STRAIT_SPLIT == static_cast<int>(strait::Route::kSplit));
static_assert(STRAIT_OFFLOAD == static_cast<int>(strait::Route::kOffload));

namespace {

using Loaded = strait::Result<std::shared_ptr<const strait::Plan>>;

template <typename Load>
strait_status_t MakePlan(strait_plan_t** plan, ErrorText error, const Load& load) {
  if (plan != nullptr) *plan = nullptr;
  return Call(error, [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(plan, "plan"));
    STRAIT_ASSIGN_OR_RETURN(std::shared_ptr<const strait::Plan> loaded, load());
    *plan = new strait_plan{std::move(loaded)};
    return strait::Status();
  });
}

}  // namespace

strait_status_t strait_plan_load(const char* path, strait_plan_t** plan, char* error, size_t error_bytes) {
  return MakePlan(plan, ErrorText(error, error_bytes), [&]() -> Loaded {
    STRAIT_RETURN_IF_ERROR(CheckGiven(path, "path"));
    return strait::Plan::Load(path);
  });
}

strait_status_t strait_plan_from_memory(const void* bytes, size_t num_bytes, strait_plan_t** plan, char* error,
                                        size_t error_bytes) {
  return MakePlan(plan, ErrorText(error, error_bytes), [&]() -> Loaded {
    STRAIT_ASSIGN_OR_RETURN(const auto span, strait::c::ToBytes(bytes, num_bytes, "bytes"));
    return strait::Plan::FromBytes(span);
  });
}

void strait_plan_free(strait_plan_t* plan) { delete plan; }

strait_status_t strait_plan_get_info(const strait_plan_t* plan, strait_plan_info_t* info) {
  return Call(ErrorText(nullptr, 0), [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(plan, "plan"));
    const strait::Plan& facts = *plan->plan;
    strait_plan_info_t known = strait_plan_info_default();
    known.num_entries = facts.entries().size();
    known.num_models = facts.models().size();
    known.backbone_hash = facts.backbone_hash().c_str();
    known.device = facts.device().c_str();
    known.server = facts.server().c_str();
    known.idle_watts = facts.idle_watts();
    known.joules_per_byte = facts.joules_per_byte();
    known.switch_seconds = facts.switch_seconds();
    const size_t first_bytes = offsetof(strait_plan_info_t, switch_seconds) + sizeof(double);
    return strait::c::WriteStruct(known, first_bytes, "info", info);
  });
}

strait_status_t strait_plan_get_model(const strait_plan_t* plan, size_t index, strait_plan_model_t* model) {
  return Call(ErrorText(nullptr, 0), [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(plan, "plan"));
    const std::vector<strait::PlanModel>& models = plan->plan->models();
    if (index >= models.size()) return strait::c::InvalidArgument({"index: the plan has fewer models"});
    strait_plan_model_t known = strait_plan_model_default();
    known.split = models[index].split.c_str();
    known.file = models[index].file.c_str();
    known.id = models[index].id;
    const size_t first_bytes = offsetof(strait_plan_model_t, id) + sizeof(uint64_t);
    return strait::c::WriteStruct(known, first_bytes, "model", model);
  });
}

strait_status_t strait_plan_get_entry(const strait_plan_t* plan, size_t index, strait_plan_entry_t* entry) {
  return Call(ErrorText(nullptr, 0), [&]() -> strait::Status {
    STRAIT_RETURN_IF_ERROR(CheckGiven(plan, "plan"));
    const std::vector<strait::PlanEntry>& entries = plan->plan->entries();
    if (index >= entries.size()) return strait::c::InvalidArgument({"index: the plan has fewer entries"});
    const strait::PlanEntry& facts = entries[index];
    strait_plan_entry_t known = strait_plan_entry_default();
    known.route = static_cast<strait_route_t>(facts.route);
    known.threads = facts.threads;
    known.split = facts.split.c_str();
    known.quality = facts.quality;
    known.frequency_hz = facts.frequency_hz;
    known.batch = facts.batch;
    known.device_seconds = facts.device_seconds;
    known.server_seconds = facts.server_seconds;
    known.bytes = facts.bytes;
    known.device_joules = facts.device_joules;
    known.accuracy = facts.accuracy;
    const size_t first_bytes = offsetof(strait_plan_entry_t, accuracy) + sizeof(double);
    return strait::c::WriteStruct(known, first_bytes, "entry", entry);
  });
}
