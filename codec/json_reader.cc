#include "codec/json_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "entropy/error.h"

namespace strait {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 32;

// Deepest nesting of brackets outside strings; exact for valid JSON, harmless for the rest.
int Depth(std::string_view text) {
  int depth = 0, deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

std::optional<int64_t> ToInt(const json& value) {
  if (const auto* n = value.get_ptr<const json::number_unsigned_t*>(); value.is_number_unsigned() && n != nullptr) {
    if (*n > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
    return static_cast<int64_t>(*n);
  }
  if (const auto* n = value.get_ptr<const json::number_integer_t*>(); value.is_number_integer() && n != nullptr)
    return *n;
  return std::nullopt;
}

}  // namespace

Status CheckValueCount(std::string_view text, size_t max_values, const std::string& where) {
  // Every value but the last of an array or object is followed by a comma, and the last closes a bracket.
  const auto values =
      static_cast<size_t>(std::ranges::count_if(text, [](char c) { return c == ',' || c == '[' || c == '{'; }));
  if (values <= max_values) return Status();
  return Error(StatusCode::kLimitExceeded, where, ": about ", values, " JSON values, at most ", max_values);
}

Result<json> ParseJson(std::string_view text, const std::string& where) {
  if (Depth(text) > kMaxDepth) return Error(StatusCode::kCorrupt, where, ": nested deeper than ", kMaxDepth);
  bool repeated = false;
  std::vector<std::set<std::string>> keys;  // of the objects open at this point
  const auto watch = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.empty()) {
      const auto* name = parsed.get_ptr<const std::string*>();
      if (name == nullptr || !keys.back().insert(*name).second) repeated = true;
    }
    return true;
  };
  json parsed = json::parse(text.begin(), text.end(), watch, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return Error(StatusCode::kCorrupt, where, ": this is no valid JSON");
  if (repeated) return Error(StatusCode::kCorrupt, where, ": an object repeats a key");
  return parsed;
}

Result<JsonObject> JsonObject::Of(const json& value, std::string where) {
  if (!value.is_object())
    return Error(StatusCode::kCorrupt, where, ": wants a JSON object, has ", value.type_name());
  return JsonObject(value, std::move(where));
}

Status JsonObject::Bad(const char* key, const char* problem) const {
  return Error(StatusCode::kCorrupt, where_, ": \"", key, "\" ", problem);
}

Result<const json*> JsonObject::Get(const char* key) {
  const auto found = json_->find(key);
  if (found == json_->end()) return Bad(key, "is missing");
  read_.insert(key);
  return &*found;
}

Result<int64_t> JsonObject::Int(const char* key, int64_t min, int64_t max) {
  STRAIT_ASSIGN_OR_RETURN(const json* value, Get(key));
  const std::optional<int64_t> number = ToInt(*value);
  if (!number) return Bad(key, "wants an integer");
  if (*number < min || *number > max) {
    return Error(StatusCode::kCorrupt, where_, ": \"", key, "\" is ", *number, ", not in ", min, "..", max);
  }
  return *number;
}

Result<double> JsonObject::Number(const char* key, bool nullable) {
  STRAIT_ASSIGN_OR_RETURN(const json* value, Get(key));
  if (nullable && value->is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (const std::optional<int64_t> number = ToInt(*value)) return static_cast<double>(*number);
  const auto* number = value->get_ptr<const json::number_float_t*>();
  if (number == nullptr || !std::isfinite(*number)) return Bad(key, "wants a number");
  return *number;
}

Result<std::string> JsonObject::String(const char* key) {
  STRAIT_ASSIGN_OR_RETURN(const json* value, Get(key));
  const auto* text = value->get_ptr<const std::string*>();
  if (text == nullptr) return Bad(key, "wants a string");
  return *text;
}

Result<const json*> JsonObject::Array(const char* key, size_t max_size) {
  STRAIT_ASSIGN_OR_RETURN(const json* value, Get(key));
  if (!value->is_array()) return Bad(key, "wants an array");
  if (value->size() > max_size) {
    return Error(StatusCode::kCorrupt, where_, ": \"", key, "\" has ", value->size(), " entries, at most ",
                 max_size);
  }
  return value;
}

Result<std::vector<int64_t>> JsonObject::Ints(const char* key, size_t max_size, int64_t min, int64_t max) {
  STRAIT_ASSIGN_OR_RETURN(const json* array, Array(key, max_size));
  std::vector<int64_t> numbers;
  for (const json& value : *array) {
    const std::optional<int64_t> number = ToInt(value);
    if (!number || *number < min || *number > max) return Bad(key, "has an entry out of range");
    numbers.push_back(*number);
  }
  return numbers;
}

Status JsonObject::Finish() const {
  for (const auto& [key, value] : json_->items()) {
    if (!read_.contains(key)) {
      return Error(StatusCode::kUnsupported, where_, ": unknown key \"", key.substr(0, 64), "\"");
    }
  }
  return Status();
}

}  // namespace strait
