#include "training/table_fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace strait {
namespace {

int32_t ToSymbol(float latent, float gain) {
  return static_cast<int32_t>(std::clamp(std::nearbyint(latent * gain), -32768.0f, 32767.0f));
}

}  // namespace

int64_t SymbolCounts::Total() const { return std::accumulate(count.begin(), count.end(), int64_t{0}); }

SymbolCounts CountSymbols(std::span<const float> latent, float gain) {
  const auto [min, max] = std::minmax_element(latent.begin(), latent.end());
  SymbolCounts counts;
  counts.first = ToSymbol(*min, gain);
  counts.count.assign(static_cast<size_t>(ToSymbol(*max, gain) - counts.first) + 1, 0);
  for (const float value : latent) ++counts.count[static_cast<size_t>(ToSymbol(value, gain) - counts.first)];
  return counts;
}

Result<CdfTable> FitWithEscape(int32_t first_symbol, std::vector<double> weight, double escaped, int precision) {
  // An entry takes at least 2^-precision of the mass from all others; below half of that the escape is cheaper.
  const double total = std::accumulate(weight.begin(), weight.end(), escaped);
  const double least = 0.5 * total / std::ldexp(1.0, precision);
  size_t first = 0, last = weight.size();
  const auto drop_lighter_end = [&] {
    escaped += weight[first] <= weight[last - 1] ? weight[first++] : weight[--last];
  };
  while (last - first > 1 && std::min(weight[first], weight[last - 1]) < least) drop_lighter_end();
  while (last - first > static_cast<size_t>(kMaxAlphabet)) drop_lighter_end();
  std::vector<double> kept(weight.begin() + static_cast<ptrdiff_t>(first),
                           weight.begin() + static_cast<ptrdiff_t>(last));
  kept.push_back(escaped);
  CdfTable table;
  table.min_symbol = first_symbol + static_cast<int32_t>(first);
  table.has_escape = true;
  STRAIT_ASSIGN_OR_RETURN(table.freq, QuantizeFrequencies(kept, precision));
  return table;
}

Result<CdfTable> FitTable(const SymbolCounts& counts, std::span<const double> prior, double prior_weight,
                          int precision) {
  if (counts.count.size() == 1) return CdfTable{counts.first, false, {uint32_t{1} << precision}};
  std::vector<double> weight(counts.count.begin(), counts.count.end());
  for (size_t i = 0; i < prior.size(); ++i) weight[i] += prior_weight * prior[i];
  return FitWithEscape(counts.first, std::move(weight), /*escaped=*/0.5, precision);  // never impossible
}

double CrossEntropyBits(const SymbolCounts& counts, const CdfTableSet& tables, size_t index) {
  double bits = 0;
  for (size_t i = 0; i < counts.count.size(); ++i) {
    if (counts.count[i] == 0) continue;
    bits += static_cast<double>(counts.count[i]) * tables.CostBits(index, counts.first + static_cast<int32_t>(i));
  }
  return bits / static_cast<double>(counts.Total());
}

double EntropyBits(const SymbolCounts& counts) {
  const double total = static_cast<double>(counts.Total());
  double bits = 0;
  for (const int64_t n : counts.count) {
    if (n > 0) bits -= static_cast<double>(n) * std::log2(static_cast<double>(n) / total);
  }
  return bits / total;
}

}  // namespace strait
