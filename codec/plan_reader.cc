#include "codec/plan_reader.h"

#include <limits>
#include <string_view>

#include "codec/json_reader.h"
#include "entropy/error.h"

namespace strait {
namespace {

using nlohmann::json;

constexpr const char* kFormatName = "strait-plan";
constexpr int64_t kMaxInt = std::numeric_limits<int>::max();
constexpr size_t kMaxModelsRead = 1 << 16;
constexpr size_t kMaxValues = kMaxPlanEntries * 16;  // an entry has 11 keys

Result<uint64_t> ReadModelId(JsonObject& object) {
  STRAIT_ASSIGN_OR_RETURN(const std::string text, object.String("id"));
  uint64_t id = 0;
  bool sound = text.size() == 16;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    sound = sound && (digit || (c >= 'a' && c <= 'f'));
    id = id << 4 | static_cast<uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  if (sound) return id;
  return Error(StatusCode::kCorrupt, object.where(), ": \"id\" wants 16 hex digits in lower case");
}

Result<Route> ReadRoute(JsonObject& object) {
  STRAIT_ASSIGN_OR_RETURN(const std::string name, object.String("route"));
  for (const Route route : {Route::kLocal, Route::kSplit, Route::kOffload}) {
    if (name == RouteName(route)) return route;
  }
  return Error(StatusCode::kCorrupt, object.where(), ": \"route\" is \"", name.substr(0, 64),
               "\", not local, split or offload");
}

Result<int> ReadInt(JsonObject& object, const char* key) {
  STRAIT_ASSIGN_OR_RETURN(const int64_t value, object.Int(key, -kMaxInt, kMaxInt));
  return static_cast<int>(value);
}

Result<PlanModel> ReadModel(const json& value, const std::string& where) {
  STRAIT_ASSIGN_OR_RETURN(JsonObject object, JsonObject::Of(value, where));
  PlanModel model;
  STRAIT_ASSIGN_OR_RETURN(model.split, object.String("split"));
  STRAIT_ASSIGN_OR_RETURN(model.file, object.String("file"));
  STRAIT_ASSIGN_OR_RETURN(model.id, ReadModelId(object));
  STRAIT_RETURN_IF_ERROR(object.Finish());
  return model;
}

Result<PlanEntry> ReadEntry(const json& value, const std::string& where) {
  STRAIT_ASSIGN_OR_RETURN(JsonObject object, JsonObject::Of(value, where));
  PlanEntry entry;
  STRAIT_ASSIGN_OR_RETURN(entry.route, ReadRoute(object));
  STRAIT_ASSIGN_OR_RETURN(entry.split, object.String("split"));
  STRAIT_ASSIGN_OR_RETURN(entry.quality, object.Number("quality"));
  STRAIT_ASSIGN_OR_RETURN(entry.threads, ReadInt(object, "threads"));
  STRAIT_ASSIGN_OR_RETURN(entry.frequency_hz, object.Number("frequency_hz"));
  STRAIT_ASSIGN_OR_RETURN(entry.batch, ReadInt(object, "batch"));
  STRAIT_ASSIGN_OR_RETURN(entry.device_seconds, object.Number("device_seconds"));
  STRAIT_ASSIGN_OR_RETURN(entry.server_seconds, object.Number("server_seconds"));
  STRAIT_ASSIGN_OR_RETURN(entry.bytes, object.Number("bytes"));
  STRAIT_ASSIGN_OR_RETURN(entry.device_joules, object.Number("device_joules"));
  STRAIT_ASSIGN_OR_RETURN(entry.accuracy, object.Number("accuracy"));
  STRAIT_RETURN_IF_ERROR(object.Finish());
  return entry;
}

// The array under `key` by `read`, which is given each value and its place.
template <typename T>
Status ReadArray(JsonObject& plan, const char* key, size_t max_size,
                 Result<T> (*read)(const json&, const std::string&), std::vector<T>& dst) {
  STRAIT_ASSIGN_OR_RETURN(const json* values, plan.Array(key, max_size));
  dst.reserve(values->size());
  for (size_t i = 0; i < values->size(); ++i) {
    STRAIT_ASSIGN_OR_RETURN(T value,
                            read((*values)[i], std::string("plan ") + key + "[" + std::to_string(i) + "]"));
    dst.push_back(std::move(value));
  }
  return Status();
}

// A file of another version may have other keys, so this comes before anything else is read.
Status CheckFormat(JsonObject& plan) {
  if (!plan.Has("format")) return Error(StatusCode::kCorrupt, "plan: \"format\" is missing; is this a plan file?");
  STRAIT_ASSIGN_OR_RETURN(const std::string format, plan.String("format"));
  if (format != kFormatName) {
    return Error(StatusCode::kCorrupt, "plan: \"format\" is \"", format.substr(0, 64), "\", not \"", kFormatName,
                 '"');
  }
  STRAIT_ASSIGN_OR_RETURN(const int64_t version, plan.Int("version", 0, kMaxInt));
  if (version == kPlanFormatVersion) return Status();
  return Error(StatusCode::kUnsupported, "plan: format version ", version, ", this build reads ",
               kPlanFormatVersion);
}

}  // namespace

Result<PlanSpec> ParsePlan(std::span<const uint8_t> bytes) {
  if (bytes.size() > static_cast<size_t>(kMaxPlanBytes)) {
    return Error(StatusCode::kLimitExceeded, "plan: has ", bytes.size(), " bytes, at most ", kMaxPlanBytes,
                 " allowed");
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  STRAIT_RETURN_IF_ERROR(CheckValueCount(text, kMaxValues, "plan"));
  STRAIT_ASSIGN_OR_RETURN(const json parsed, ParseJson(text, "plan"));
  STRAIT_ASSIGN_OR_RETURN(JsonObject plan, JsonObject::Of(parsed, "plan"));
  STRAIT_RETURN_IF_ERROR(CheckFormat(plan));
  PlanSpec spec;
  STRAIT_ASSIGN_OR_RETURN(spec.backbone_hash, plan.String("backbone_hash"));
  STRAIT_ASSIGN_OR_RETURN(spec.device, plan.String("device"));
  STRAIT_ASSIGN_OR_RETURN(spec.server, plan.String("server"));
  STRAIT_ASSIGN_OR_RETURN(spec.idle_watts, plan.Number("idle_watts"));
  STRAIT_ASSIGN_OR_RETURN(spec.joules_per_byte, plan.Number("joules_per_byte"));
  STRAIT_ASSIGN_OR_RETURN(spec.switch_seconds, plan.Number("switch_seconds"));
  STRAIT_RETURN_IF_ERROR(ReadArray(plan, "models", kMaxModelsRead, ReadModel, spec.models));
  STRAIT_RETURN_IF_ERROR(ReadArray(plan, "entries", kMaxPlanEntries, ReadEntry, spec.entries));
  STRAIT_RETURN_IF_ERROR(plan.Finish());
  return spec;
}

}  // namespace strait
