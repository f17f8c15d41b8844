// Fits one integer CDF table to counted symbols.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "entropy/cdf_table.h"
#include "strait/result.h"

namespace strait {

// Occurrences of the symbols first, first + 1, ...; at least one is positive.
struct SymbolCounts {
  int32_t first = 0;
  std::vector<int64_t> count;
  int64_t Total() const;
};

// Counts round_half_even(latent * gain), saturated to int16.
SymbolCounts CountSymbols(std::span<const float> latent, float gain);

// `prior[i]` is the model's probability of symbol counts.first + i (empty: none); it adds prior_weight
// pseudo-observations. Symbols so rare that an entry would cost more than the escape are left to the escape. A
// channel that only ever gave one symbol becomes a table of that symbol alone, which costs no bits.
Result<CdfTable> FitTable(const SymbolCounts& counts, std::span<const double> prior, double prior_weight,
                          int precision);

// A table with an escape, whatever the weights of the symbols first, first + 1, ... and of all others are; at least
// one of the former is positive.
Result<CdfTable> FitWithEscape(int32_t first, std::vector<double> weight, double escaped, int precision);

// Bits per symbol of `counts` under a table (escape bits estimated by CdfTableSet::CostBits), and their own
// entropy.
double CrossEntropyBits(const SymbolCounts& counts, const CdfTableSet& tables, size_t index);
double EntropyBits(const SymbolCounts& counts);

}  // namespace strait
