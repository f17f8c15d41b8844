// Checked reading of JSON that may be hostile: no exceptions, bounded depth, no repeated keys, exact types.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "strait/result.h"
#include "strait/tensor.h"

namespace strait {

// Whether JSON holds about `max_values` values at most, to be asked before it is parsed: a value takes some hundred
// bytes then but may be two bytes of text, so a text's size alone does not bound memory. Errors: kLimitExceeded,
// naming `where`.
Status CheckValueCount(std::string_view text, size_t max_values, const std::string& where);

// Errors: kCorrupt, naming `where`.
Result<nlohmann::json> ParseJson(std::string_view text, const std::string& where);

// Reads the keys of one object and at the end refuses those nobody asked for.
class JsonObject {
 public:
  // `json` must outlive the object.
  static Result<JsonObject> Of(const nlohmann::json& json, std::string where);

  bool Has(const char* key) const { return json_->contains(key); }
  Result<const nlohmann::json*> Get(const char* key);
  Result<int64_t> Int(const char* key, int64_t min, int64_t max);
  // Finite; null becomes NaN where `nullable`.
  Result<double> Number(const char* key, bool nullable = false);
  Result<std::string> String(const char* key);
  // An array of integers of [min, max], at most max_size of them.
  Result<std::vector<int64_t>> Ints(const char* key, size_t max_size, int64_t min, int64_t max);
  Result<const nlohmann::json*> Array(const char* key, size_t max_size);

  // kUnsupported when the object has a key that was never read.
  Status Finish() const;
  const std::string& where() const { return where_; }

 private:
  JsonObject(const nlohmann::json& json, std::string where) : json_(&json), where_(std::move(where)) {}
  Status Bad(const char* key, const char* problem) const;

  const nlohmann::json* json_;
  std::string where_;
  std::set<std::string> read_;
};

}  // namespace strait
