// What writer and reader of model files share: names, limits and the rules a spec must meet (docs/format.md).
#pragma once

#include <cstddef>
#include <string>

#include "codec/model_spec.h"

namespace strait {

inline constexpr int kModelFormatVersion = 1;
inline constexpr const char* kManifestKey = "strait";
inline constexpr size_t kMaxModelHeaderBytes = size_t{1} << 22;
inline constexpr size_t kMaxLevels = 256;
inline constexpr size_t kMaxContextTables = 256;
inline constexpr int kMaxSetsPerLevel = kQualitySteps;

// Table sets of a model: one at each quality k / sets_per_level.
inline size_t NumTableSets(size_t levels, int sets_per_level) {
  return (levels - 1) * static_cast<size_t>(sets_per_level) + 1;
}

// Every rule of docs/format.md that is not about bytes. Errors: kCorrupt, kLimitExceeded.
Status ValidateSpec(const ModelSpec& spec, const Limits& limits);

// A model file together with its manifest as written.
struct ParsedModel {
  ModelSpec spec;
  std::string manifest;
};
Result<ParsedModel> ParseModelFile(std::span<const uint8_t> bytes, const Limits& limits);

}  // namespace strait
