#include <nlohmann/json.hpp>

#include "codec/model_impl.h"
#include "codec/plan_spec.h"

namespace strait {
namespace {

using json = nlohmann::ordered_json;

// On one line. Bytes that are no UTF-8 are replaced: JSON cannot hold them.
std::string Line(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

template <typename T, typename ToJson>
std::string Lines(const std::vector<T>& values, const ToJson& to_json) {
  std::string text = "[";
  for (size_t i = 0; i < values.size(); ++i) {
    text += i > 0 ? ",\n  " : "\n  ";
    text += Line(to_json(values[i]));
  }
  return text + "]";
}

json ModelJson(const PlanModel& model) {
  return {{"split", model.split}, {"file", model.file}, {"id", ModelIdText(model.id)}};
}

json EntryJson(const PlanEntry& entry) {
  return {{"route", RouteName(entry.route)},
          {"split", entry.split},
          {"quality", entry.quality},
          {"threads", entry.threads},
          {"frequency_hz", entry.frequency_hz},
          {"batch", entry.batch},
          {"device_seconds", entry.device_seconds},
          {"server_seconds", entry.server_seconds},
          {"bytes", entry.bytes},
          {"device_joules", entry.device_joules},
          {"accuracy", entry.accuracy}};
}

}  // namespace

std::string PlanToJson(const PlanSpec& spec) {
  std::string text = "{\n";
  const auto add = [&](const char* key, const json& value) {
    text += std::string(" \"") + key + "\": " + Line(value) + ",\n";
  };
  add("format", "strait-plan");
  add("version", kPlanFormatVersion);
  add("backbone_hash", spec.backbone_hash);
  add("device", spec.device);
  add("server", spec.server);
  add("idle_watts", spec.idle_watts);
  add("joules_per_byte", spec.joules_per_byte);
  add("switch_seconds", spec.switch_seconds);
  text += " \"models\": " + Lines(spec.models, ModelJson) + ",\n";
  text += " \"entries\": " + Lines(spec.entries, EntryJson) + "\n}\n";
  return text;
}

}  // namespace strait
