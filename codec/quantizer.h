// Latent values to integer symbols and back, at a quality.
// Shapes: a latent is {N, C, H, W} or {N, T, C}, flat in memory order; gains have length C. Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/model_spec.h"
#include "entropy/cdf_table.h"

namespace strait {

// Quality in sixteenths of a level, [0, (levels - 1) * 16]. Errors: kInvalidArgument.
Result<int> QualityCode(double quality, size_t levels);

inline int MaxQualityCode(size_t levels) { return (static_cast<int>(levels) - 1) * kQualitySteps; }

// Gains of all channels at a quality: exact at a level, geometric in between.
void InterpolateGains(const std::vector<std::vector<float>>& levels, int quality_code, std::vector<float>& dst);
inline std::vector<float> InterpolateGains(const std::vector<std::vector<float>>& levels, int quality_code) {
  std::vector<float> gains;
  InterpolateGains(levels, quality_code, gains);
  return gains;
}

// Consecutive values of one channel of a latent, batch first: H * W for feature maps, 1 for tokens.
size_t InnerSize(const Shape& latent_shape);

// symbol = round_half_even(latent * gain), saturated to int16 and to what the table of its channel can code.
// Errors: kInvalidArgument, naming the index of a latent that is not a number.
Status QuantizeLatent(std::span<const float> latent, const Shape& latent_shape, std::span<const float> gains,
                      const CdfTableSet& tables, std::span<const uint32_t> channel_tables,
                      std::span<int16_t> symbols);

// Bits of what QuantizeLatent makes when each channel is coded by its table, without storing it: RansCostBits of
// the symbols, to the precision of a float. Errors: as QuantizeLatent.
Result<double> CostOfLatent(std::span<const float> latent, const Shape& latent_shape, std::span<const float> gains,
                            const CdfTableSet& tables, std::span<const uint32_t> channel_tables);

// latent = symbol * inverse_gain.
void RestoreLatent(std::span<const int16_t> symbols, const Shape& latent_shape,
                   std::span<const float> inverse_gains, std::span<float> latent);

}  // namespace strait
