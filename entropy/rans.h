// rANS over per-channel integer CDF tables. Scalar code: the specification of docs/format.md, payload.
// Symbols are int16 in memory order; symbol i uses table first_table + (i / inner) % channels.
// One lane below kManyLanesThreshold symbols, kManyLanes from there on. Thread-safe: no state is shared.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "entropy/cdf_table.h"
#include "strait/result.h"

namespace strait {

// Which table codes which symbol.
struct SymbolLayout {
  size_t first_table = 0;  // of the level in use
  size_t channels = 1;
  size_t inner = 1;  // consecutive symbols of one channel: H * W for feature maps, 1 for tokens
  size_t TableOf(size_t i) const { return first_table + (i / inner) % channels; }
};

inline constexpr size_t kManyLanesThreshold = 16384;  // symbols
inline constexpr int kManyLanes = 32;

// Appends the payload of `symbols` to `dst`. Symbols a table without escape cannot code are an
// error (kInvalidArgument): clamp them first.
Status RansEncode(std::span<const int16_t> symbols, const SymbolLayout& layout, const CdfTableSet& tables,
                  std::vector<uint8_t>& dst);

// Decodes exactly symbols.size() symbols from exactly `payload`: bytes left over, bytes missing and a wrong
// final state are errors (kTruncated, kCorrupt). `symbols` is garbage after an error.
Status RansDecode(std::span<const uint8_t> payload, const SymbolLayout& layout, const CdfTableSet& tables,
                  std::span<int16_t> symbols);

// Ideal size in bits of `symbols` under the tables, without coding them.
double RansCostBits(std::span<const int16_t> symbols, const SymbolLayout& layout, const CdfTableSet& tables);

}  // namespace strait
