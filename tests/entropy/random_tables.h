// Random tables and symbols for the tests of entropy coding; everything follows from the generator's seed.
#pragma once

#include <cmath>
#include <random>
#include <vector>

#include "entropy/cdf_table.h"
#include "entropy/rans.h"
#include "entropy/rans_lanes.h"

namespace strait {

// Symbols from which on a payload may use all lanes.
inline constexpr size_t kManyLanesThreshold = rans::kLadder[rans::kRungs - 1].least_symbols;

// A table of `values` values around 0 whose mass falls off at a random rate from a random peak.
inline CdfTable RandomTable(std::mt19937& random, int values, bool has_escape, int precision) {
  const double decay = std::uniform_real_distribution<double>(0.3, 1.0)(random);
  const int peak = std::uniform_int_distribution<int>(0, values - 1)(random);
  std::vector<double> weights;
  for (int i = 0; i < values; ++i) weights.push_back(std::pow(decay, std::abs(i - peak)) + 1e-12);
  if (has_escape) weights.push_back(1e-3);
  return {-values / 2, has_escape, QuantizeFrequencies(weights, precision).value()};
}

// Draws symbols as the tables expect them; one in escape_every (0 is never) is any int16 where the table allows it.
inline std::vector<int16_t> RandomSymbols(std::mt19937& random, size_t count, const SymbolLayout& layout,
                                          const CdfTableSet& tables, unsigned escape_every) {
  std::vector<int16_t> symbols(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t t = layout.TableOf(i);
    const CdfTable& table = tables.table(t);
    const uint32_t entry = tables.EntryOf(t, random() & ((1u << tables.precision()) - 1));
    const bool escapes =
        static_cast<int>(entry) == table.num_values() || (escape_every && random() % escape_every == 0);
    const auto any = static_cast<int16_t>(random());
    symbols[i] =
        static_cast<int16_t>(escapes ? tables.Clamp(t, any) : table.min_symbol + static_cast<int32_t>(entry));
  }
  return symbols;
}

}  // namespace strait
