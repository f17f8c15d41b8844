#include <unordered_set>

#include "codec/file_io.h"
#include "codec/model_format.h"
#include "codec/no_throw.h"
#include "codec/plan_impl.h"
#include "codec/plan_reader.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr double kMaxBytes = 1e15;  // as far beyond any real figure as the limits of plan_spec.h

// Refuses NaN too.
Status CheckRange(const std::string& where, const char* field, double value, double min, double max) {
  if (value >= min && value <= max) return Status();
  return Error(StatusCode::kCorrupt, where, ": \"", field, "\" is ", value, ", not in ", min, "..", max);
}

// A zero byte would end the text early in C.
Status CheckText(const std::string& where, const char* field, const std::string& text, size_t min_bytes) {
  if (text.size() < min_bytes || text.size() > kMaxPlanTextBytes) {
    return Error(StatusCode::kCorrupt, where, ": \"", field, "\" has ", text.size(), " bytes, not in ", min_bytes,
                 "..", kMaxPlanTextBytes);
  }
  if (text.find('\0') == std::string::npos) return Status();
  return Error(StatusCode::kCorrupt, where, ": \"", field, "\" has a zero byte");
}

std::string Quoted(const std::string& name) { return '"' + name.substr(0, 64) + '"'; }

Status CheckRoute(const std::string& where, const PlanEntry& entry, const std::unordered_set<std::string>& units) {
  const auto wants = [&](const char* field, const char* wanted) {
    return Error(StatusCode::kCorrupt, where, ": \"", field, "\" wants ", wanted, " where \"route\" is \"",
                 RouteName(entry.route), '"');
  };
  switch (entry.route) {
    case Route::kLocal:
      if (!entry.split.empty()) return wants("split", "an empty name");
      if (entry.quality != 0) return wants("quality", "0");
      if (entry.bytes != 0) return wants("bytes", "0");
      if (entry.server_seconds != 0) return wants("server_seconds", "0");
      return Status();
    case Route::kSplit:
      if (!units.contains(entry.split)) {
        return Error(StatusCode::kCorrupt, where, ": \"split\" is ", Quoted(entry.split),
                     ", which no entry of \"models\" has");
      }
      return CheckRange(where, "quality", entry.quality, 0, kMaxLevels - 1);
    case Route::kOffload:
      if (entry.split == "jpeg") return CheckRange(where, "quality", entry.quality, 1, 100);
      if (entry.split != "raw") return wants("split", "\"jpeg\" or \"raw\"");
      return entry.quality == 0 ? Status() : wants("quality", "0 for \"raw\"");
  }
  return Error(StatusCode::kCorrupt, where, ": \"route\" is ", static_cast<int32_t>(entry.route), ", not in 0..2");
}

Status CheckEntry(const std::string& where, const PlanEntry& entry, const std::unordered_set<std::string>& units) {
  STRAIT_RETURN_IF_ERROR(CheckRoute(where, entry, units));
  STRAIT_RETURN_IF_ERROR(CheckRange(where, "threads", entry.threads, 1, kMaxPlanThreads));
  STRAIT_RETURN_IF_ERROR(CheckRange(where, "frequency_hz", entry.frequency_hz, 0, kMaxPlanHertz));
  STRAIT_RETURN_IF_ERROR(CheckRange(where, "batch", entry.batch, 1, kMaxPlanBatch));
  STRAIT_RETURN_IF_ERROR(CheckRange(where, "device_seconds", entry.device_seconds, 0, kMaxPlanSeconds));
  STRAIT_RETURN_IF_ERROR(CheckRange(where, "server_seconds", entry.server_seconds, 0, kMaxPlanSeconds));
  STRAIT_RETURN_IF_ERROR(CheckRange(where, "bytes", entry.bytes, 0, kMaxBytes));
  STRAIT_RETURN_IF_ERROR(CheckRange(where, "device_joules", entry.device_joules, 0, kMaxPlanJoules));
  return CheckRange(where, "accuracy", entry.accuracy, 0, 100);
}

Status CheckSpec(const PlanSpec& spec) {
  STRAIT_RETURN_IF_ERROR(CheckText("plan", "backbone_hash", spec.backbone_hash, 0));
  STRAIT_RETURN_IF_ERROR(CheckText("plan", "device", spec.device, 0));
  STRAIT_RETURN_IF_ERROR(CheckText("plan", "server", spec.server, 0));
  STRAIT_RETURN_IF_ERROR(CheckRange("plan", "idle_watts", spec.idle_watts, 0, kMaxPlanWatts));
  STRAIT_RETURN_IF_ERROR(CheckRange("plan", "joules_per_byte", spec.joules_per_byte, 0, kMaxPlanJoules));
  STRAIT_RETURN_IF_ERROR(CheckRange("plan", "switch_seconds", spec.switch_seconds, 0, kMaxPlanSeconds));
  if (spec.models.size() > kMaxPlanModels)
    return Error(StatusCode::kCorrupt, "plan: ", spec.models.size(), " models, at most ", kMaxPlanModels);
  std::unordered_set<std::string> units;
  for (size_t i = 0; i < spec.models.size(); ++i) {
    const std::string where = "plan models[" + std::to_string(i) + "]";
    STRAIT_RETURN_IF_ERROR(CheckText(where, "split", spec.models[i].split, 1));
    STRAIT_RETURN_IF_ERROR(CheckText(where, "file", spec.models[i].file, 1));
    if (!units.insert(spec.models[i].split).second)
      return Error(StatusCode::kCorrupt, where, ": \"split\" ", Quoted(spec.models[i].split),
                   " has a model before");
  }
  if (spec.entries.empty()) return Error(StatusCode::kCorrupt, "plan: \"entries\" is empty");
  if (spec.entries.size() > kMaxPlanEntries)
    return Error(StatusCode::kCorrupt, "plan: ", spec.entries.size(), " entries, at most ", kMaxPlanEntries);
  for (size_t i = 0; i < spec.entries.size(); ++i)
    STRAIT_RETURN_IF_ERROR(CheckEntry("plan entries[" + std::to_string(i) + "]", spec.entries[i], units));
  return Status();
}

}  // namespace

const char* RouteName(Route route) {
  switch (route) {
    case Route::kLocal:
      return "local";
    case Route::kSplit:
      return "split";
    case Route::kOffload:
      return "offload";
  }
  return "unknown";
}

Result<std::shared_ptr<const Plan>> MakePlan(PlanSpec spec) {
  return NoThrow("make plan", [&]() -> Result<std::shared_ptr<const Plan>> {
    STRAIT_RETURN_IF_ERROR(CheckSpec(spec));
    auto impl = std::make_unique<Plan::Impl>();
    impl->index = PlanIndex(spec.entries);
    impl->spec = std::move(spec);
    return std::shared_ptr<const Plan>(std::make_shared<Plan>(std::unique_ptr<const Plan::Impl>(std::move(impl))));
  });
}

Result<std::shared_ptr<const Plan>> Plan::Load(const std::string& path) {
  return NoThrow("load plan", [&]() -> Result<std::shared_ptr<const Plan>> {
    STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path, kMaxPlanBytes));
    Result<std::shared_ptr<const Plan>> plan = FromBytes(bytes);
    if (!plan.ok()) return Error(plan.status().code(), path, ": ", plan.status().message());
    return plan;
  });
}

Result<std::shared_ptr<const Plan>> Plan::FromBytes(std::span<const uint8_t> bytes) {
  return NoThrow("load plan", [&]() -> Result<std::shared_ptr<const Plan>> {
    STRAIT_ASSIGN_OR_RETURN(PlanSpec spec, ParsePlan(bytes));
    return MakePlan(std::move(spec));
  });
}

Plan::Plan(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Plan::~Plan() = default;

const std::vector<PlanEntry>& Plan::entries() const { return impl_->spec.entries; }
const std::vector<PlanModel>& Plan::models() const { return impl_->spec.models; }
const std::string& Plan::backbone_hash() const { return impl_->spec.backbone_hash; }
const std::string& Plan::device() const { return impl_->spec.device; }
const std::string& Plan::server() const { return impl_->spec.server; }
double Plan::idle_watts() const { return impl_->spec.idle_watts; }
double Plan::joules_per_byte() const { return impl_->spec.joules_per_byte; }
double Plan::switch_seconds() const { return impl_->spec.switch_seconds; }

}  // namespace strait
