#include "codec/quantizer.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "codec/kernels/kernels.h"
#include "entropy/error.h"

namespace strait {
namespace {

// Costs are multiples of 1/1024 bit and at most 47 bits a symbol: a float sums so many without rounding, in any
// order.
constexpr size_t kCostBlock = 256;

constexpr float kMinSymbol = -32768.0f, kMaxSymbol = 32767.0f;

// What a table can code is an interval: its ends say all.
struct Range {
  float low, high;
};
Range RangeOf(const CdfTableSet& tables, size_t table) {
  return {static_cast<float>(tables.Clamp(table, static_cast<int32_t>(kMinSymbol))),
          static_cast<float>(tables.Clamp(table, static_cast<int32_t>(kMaxSymbol)))};
}

Status NotANumber(std::span<const float> latent, float gain, size_t begin) {
  while (!std::isnan(latent[begin] * gain)) ++begin;
  return Error(StatusCode::kInvalidArgument, "latent value ", begin,
               " is not a number: the analysis transform overflows on this input");
}

}  // namespace

Result<int> QualityCode(double quality, size_t levels) {
  const double max_quality = static_cast<double>(levels) - 1;
  if (!(quality >= 0 && quality <= max_quality)) {
    return Error(StatusCode::kInvalidArgument, "quality ", quality, " is not in 0..", max_quality);
  }
  return static_cast<int>(std::lround(quality * kQualitySteps));
}

void InterpolateGains(const std::vector<std::vector<float>>& levels, int quality_code, std::vector<float>& gains) {
  const size_t level = static_cast<size_t>(quality_code / kQualitySteps);
  const int sixteenths = quality_code % kQualitySteps;
  gains = levels[level];
  if (sixteenths == 0) return;
  // Roots are rounded correctly everywhere, where pow is not: the same gains on every machine.
  static_assert(kQualitySteps == 16);
  const std::vector<float>& next = levels[level + 1];
  for (size_t c = 0; c < gains.size(); ++c) {
    const double low = gains[c];
    const double half = std::sqrt(next[c] / low), quarter = std::sqrt(half), eighth = std::sqrt(quarter);
    const double sixteenth = std::sqrt(eighth);
    const double coarse = ((sixteenths & 8) != 0 ? half : 1.0) * ((sixteenths & 4) != 0 ? quarter : 1.0);
    const double fine = ((sixteenths & 2) != 0 ? eighth : 1.0) * ((sixteenths & 1) != 0 ? sixteenth : 1.0);
    gains[c] = static_cast<float>(low * (coarse * fine));
  }
}

size_t InnerSize(const Shape& latent_shape) {
  return latent_shape.size() == 3 ? 1 : static_cast<size_t>(latent_shape[2] * latent_shape[3]);
}

Status QuantizeLatent(std::span<const float> latent, const Shape& latent_shape, std::span<const float> gains,
                      const CdfTableSet& tables, std::span<const uint32_t> channel_tables,
                      std::span<int16_t> symbols) {
  assert(symbols.size() == latent.size() && gains.size() == channel_tables.size());
  const Kernels& kernels = KernelsOf(DefaultSimd());
  const size_t inner = InnerSize(latent_shape);
  size_t c = 0;
  for (size_t begin = 0; begin < latent.size(); begin += inner) {
    const Range range = RangeOf(tables, channel_tables[c]);
    if (!kernels.quantize(latent.data() + begin, static_cast<int64_t>(inner), gains[c], range.low, range.high,
                          symbols.data() + begin)) {
      return NotANumber(latent, gains[c], begin);
    }
    if (++c == gains.size()) c = 0;
  }
  return Status();
}

Result<double> CostOfLatent(std::span<const float> latent, const Shape& latent_shape, std::span<const float> gains,
                            const CdfTableSet& tables, std::span<const uint32_t> channel_tables) {
  const Kernels& kernels = KernelsOf(DefaultSimd());
  const size_t inner = InnerSize(latent_shape);
  struct Context {
    const CdfTableSet& tables;
    size_t table;
  };
  double bits = 0;
  size_t c = 0;
  for (size_t begin = 0; begin < latent.size(); begin += inner) {
    const Context context{tables, channel_tables[c]};
    const Range range = RangeOf(tables, context.table);
    const CdfTableSet::TableView& table = tables.View(context.table);
    const auto escape_bits = [](const void* of, int32_t symbol) {
      const auto& [set, index] = *static_cast<const Context*>(of);
      return static_cast<float>(set.CostBits(index, symbol));
    };
    for (size_t first = 0; first < inner; first += kCostBlock) {
      const size_t count = std::min(inner - first, kCostBlock);
      const float cost =
          kernels.cost({latent.data() + begin + first, static_cast<int64_t>(count), gains[c], range.low, range.high,
                        table.min_symbol, table.num_values, table.cost_bits, escape_bits, &context});
      if (std::isnan(cost)) return NotANumber(latent, gains[c], begin + first);
      bits += cost;
    }
    if (++c == gains.size()) c = 0;
  }
  return bits;
}

void RestoreLatent(std::span<const int16_t> symbols, const Shape& latent_shape,
                   std::span<const float> inverse_gains, std::span<float> latent) {
  assert(symbols.size() == latent.size());
  const Kernels& kernels = KernelsOf(DefaultSimd());
  const size_t inner = InnerSize(latent_shape);
  size_t c = 0;
  for (size_t begin = 0; begin < symbols.size(); begin += inner) {
    kernels.restore(symbols.data() + begin, static_cast<int64_t>(inner), inverse_gains[c], latent.data() + begin);
    if (++c == inverse_gains.size()) c = 0;
  }
}

}  // namespace strait
