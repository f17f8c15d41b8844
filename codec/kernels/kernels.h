// The inner loops of the runtime, compiled for each instruction set and chosen at run time. All give the same bits:
// every sum is a chain of fused multiply-adds in one order, whatever the width of a vector.
// Nothing here allocates or keeps state.
#pragma once

#include <cstdint>

#include "entropy/simd.h"

namespace strait {

inline constexpr int64_t kOverread =
    16;  // floats that must be readable behind what a kernel reads as whole vectors
inline constexpr int kMaxTileVectors = 6;
inline constexpr int kMaxTileChannels = 8;

// A tile of a convolution: a few vectors of consecutive output columns by a few output channels.
//   dst[v][c * dst_channel_stride + lane] =
//       activation(bias[c] + sum over taps k, in order, of weights[k * weight_stride + c] * src[v][offsets[k] +
//       lane])
// Whole vectors are read wherever lanes says that fewer columns are wanted; only those are written.
struct ConvTile {
  const float* weights;
  int64_t weight_stride;
  const float* bias;
  const int64_t* offsets;
  int64_t num_taps;
  int64_t dst_channel_stride;
  float slope;       // values below zero are multiplied by it: 1 is no activation, 0 is relu
  int num_channels;  // 1 to kMaxTileChannels
  int num_vectors;   // 1 to max_vectors of the kernels: for one channel, or for more
  const float* src[kMaxTileVectors];
  float* dst[kMaxTileVectors];
  int lanes[kMaxTileVectors];  // 1 to Kernels::lanes
};

// Deals a plane to row_phases by col_phases planes: value (y, x), at (y + row_halo, x + col_halo) with the halo,
// goes to the plane of both coordinates mod the phases, at both divided by them.
struct PlaneSplit {
  const float* src;
  int64_t rows, cols;
  int64_t row_phases, col_phases, row_halo, col_halo;
  float* dst;  // planes in row-major order of their phases
  // Whole vectors are written: a row has room for kOverread values behind those that belong to it, which become
  // zero.
  int64_t dst_cols, dst_plane;
};

// The inverse, without a halo: value (y, x) of a plane comes from src[(y mod row_phases) * col_phases + x mod
// col_phases], whose rows have (cols - x mod col_phases) / col_phases values, rounded up. Whole vectors are read,
// up to kOverread floats behind a source plane.
struct PlaneMerge {
  const float* const* src;
  int64_t row_phases, col_phases;
  float* dst;
  int64_t rows, cols;
};

// A channel's latent values and the table that would code them.
struct CostJob {
  const float* src;
  int64_t count;
  float gain, low, high;  // as for quantize
  int32_t min_symbol;
  uint32_t num_values;
  const float* bits;  // of each value
  // Of a symbol that the table does not hold.
  float (*escape_bits)(const void* context, int32_t symbol);
  const void* context;
};

struct Kernels {
  int lanes;  // floats of a vector
  int max_vectors_one_channel;
  int max_vectors;  // of a tile of more channels
  void (*conv)(const ConvTile& tile);
  void (*split)(const PlaneSplit& job);
  void (*merge)(const PlaneMerge& job);
  bool (*all_finite)(const float* src, int64_t count);
  // dst = clamp(round_half_even(src * gain), low, high), both integers of int16; false when a product is not a
  // number.
  bool (*quantize)(const float* src, int64_t count, float gain, float low, float high, int16_t* dst);
  // Bits that the symbols of quantize() cost under a table, without storing them. Not a number when one is not.
  float (*cost)(const CostJob& job);
  // dst = src * inverse_gain.
  void (*restore)(const int16_t* src, int64_t count, float inverse_gain, float* dst);
};

// Those of an instruction set; kScalar's when it is not available.
const Kernels& KernelsOf(Simd simd);

// The kernels of `simd` whose vectors suit rows of `cols` values: narrower ones where a wide vector would stay half
// empty.
const Kernels& KernelsFor(Simd simd, int64_t cols);

extern const Kernels kPortableKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#elif defined(__aarch64__)
extern const Kernels kNeonKernels;
#endif

}  // namespace strait
