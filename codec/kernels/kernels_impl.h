// The kernels over a vector type, included once by the file of each instruction set. Vector is
//   kLanes, kTileChannels, kTileVectors, kDepthwiseVectors: what the registers have room for
//   V, Load, Set, Fma(a, b, c) = a * b + c fused, Mul, Store, Activate(v, slope)
//   LoadFirst(p, n), StoreFirst(p, v, n): n of [1, kLanes] values; memory behind them is not touched
//   Deinterleave(a, b, even, odd), Interleave(even, odd, a, b) of whole vectors
//   IsNan(v): any lane; Quantize(v, low, high, dst): clamp, round half to even, store kLanes int16
//   Table{bits, n}, AddBits: adds the bits of the entries of the first lanes, see Cost
// Everything is in an unnamed namespace and no function of the standard library is called, so that code compiled
// for one instruction set cannot end up in the place of another's.
#pragma once

#include <cstdint>

#include "codec/kernels/kernels.h"

namespace strait {
namespace {

// A Table that is looked up where it is.
struct TableInMemory {
  const float* bits;
  int32_t size;
};

template <typename Vector, int kChannels, int kVectors>
void Tile(const ConvTile& tile) {
  using V = typename Vector::V;
  V sum[kChannels][kVectors];
#pragma GCC unroll 8
  for (int c = 0; c < kChannels; ++c) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sum[c][v] = Vector::Set(tile.bias[c]);
  }
  const float* src[kVectors];
  for (int v = 0; v < kVectors; ++v) src[v] = tile.src[v];
  const float* weights = tile.weights;
  const int64_t* offset = tile.offsets;
  for (int64_t k = tile.num_taps; k > 0; --k, ++offset, weights += tile.weight_stride) {
    V values[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) values[v] = Vector::Load(src[v] + *offset);
#pragma GCC unroll 8
    for (int c = 0; c < kChannels; ++c) {
      const V weight = Vector::Set(weights[c]);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[c][v] = Vector::Fma(weight, values[v], sum[c][v]);
    }
  }
#pragma GCC unroll 8
  for (int c = 0; c < kChannels; ++c) {
    if (c >= tile.num_channels) break;
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const V value = tile.slope == 1.0f ? sum[c][v] : Vector::Activate(sum[c][v], tile.slope);
      float* const dst = tile.dst[v] + c * tile.dst_channel_stride;
      if (tile.lanes[v] == Vector::kLanes) {
        Vector::Store(dst, value);
      } else {
        Vector::StoreFirst(dst, value, tile.lanes[v]);
      }
    }
  }
}

// Tile<., kChannels, tile.num_vectors>.
template <typename Vector, int kChannels, int kVectors>
void TileOfVectors(const ConvTile& tile) {
  if constexpr (kVectors > 1) {
    if (tile.num_vectors < kVectors) return TileOfVectors<Vector, kChannels, kVectors - 1>(tile);
  }
  Tile<Vector, kChannels, kVectors>(tile);
}

// Channels are rounded up to 1, 2, 4 or 8: panels of weights are as wide.
template <typename Vector>
void Conv(const ConvTile& tile) {
  if (tile.num_channels == 1) return TileOfVectors<Vector, 1, Vector::kDepthwiseVectors>(tile);
  if (tile.num_channels == 2) return TileOfVectors<Vector, 2, Vector::kTileVectors>(tile);
  if (tile.num_channels <= 4) return TileOfVectors<Vector, 4, Vector::kTileVectors>(tile);
  if constexpr (Vector::kTileChannels == 8) {
    TileOfVectors<Vector, 8, Vector::kTileVectors>(tile);
  } else {
    ConvTile half = tile;
    half.num_channels = 4;
    TileOfVectors<Vector, 4, Vector::kTileVectors>(half);
    half.num_channels = tile.num_channels - 4;
    half.weights += 4;
    half.bias += 4;
    for (int v = 0; v < tile.num_vectors; ++v) half.dst[v] += 4 * tile.dst_channel_stride;
    TileOfVectors<Vector, 4, Vector::kTileVectors>(half);
  }
}

// Copies count values; writes and reads no others.
template <typename Vector>
void CopyRow(const float* src, int64_t count, float* dst) {
  int64_t i = 0;
  for (; i + Vector::kLanes <= count; i += Vector::kLanes) Vector::Store(dst + i, Vector::Load(src + i));
  const int rest = static_cast<int>(count - i);
  if (rest > 0) Vector::StoreFirst(dst + i, Vector::LoadFirst(src + i, rest), rest);
}

// even[i] = src[2 i], odd[i] = src[2 i + 1], count values of src in all; zeros behind, up to whole vectors.
template <typename Vector>
void SplitRow(const float* src, int64_t count, float* even, float* odd) {
  using V = typename Vector::V;
  constexpr int kLanes = Vector::kLanes;
  V first, second;
  int64_t i = 0;
  for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
    Vector::Deinterleave(Vector::Load(src + i), Vector::Load(src + i + kLanes), first, second);
    Vector::Store(even + i / 2, first);
    Vector::Store(odd + i / 2, second);
  }
  const int rest = static_cast<int>(count - i);
  if (rest == 0) return;
  const V low = rest < kLanes ? Vector::LoadFirst(src + i, rest) : Vector::Load(src + i);
  const V high = rest <= kLanes ? Vector::Set(0) : Vector::LoadFirst(src + i + kLanes, rest - kLanes);
  Vector::Deinterleave(low, high, first, second);
  Vector::Store(even + i / 2, first);
  Vector::Store(odd + i / 2, second);
}

template <typename Vector>
void Split(const PlaneSplit& job) {
  const float* src = job.src;
  int64_t phase = job.row_halo % job.row_phases, row = job.row_halo / job.row_phases;
  for (int64_t y = 0; y < job.rows; ++y, src += job.cols) {
    float* const dst = job.dst + phase * job.col_phases * job.dst_plane + row * job.dst_cols;
    if (job.col_phases == 1) {
      CopyRow<Vector>(src, job.cols, dst + job.col_halo);
    } else if (job.col_phases == 2) {
      const int64_t odd_halo = job.col_halo % 2;
      SplitRow<Vector>(src, job.cols, dst + odd_halo * job.dst_plane + job.col_halo / 2,
                       dst + (1 - odd_halo) * job.dst_plane + (job.col_halo + 1) / 2);
    } else {
      for (int64_t x = 0; x < job.cols; ++x) {
        const int64_t col = x + job.col_halo;
        dst[col % job.col_phases * job.dst_plane + col / job.col_phases] = src[x];
      }
    }
    if (++phase == job.row_phases) {
      phase = 0;
      ++row;
    }
  }
}

// dst[2 i] = even[i], dst[2 i + 1] = odd[i], count values of dst in all.
template <typename Vector>
void MergeRow(const float* even, const float* odd, int64_t count, float* dst) {
  using V = typename Vector::V;
  constexpr int kLanes = Vector::kLanes;
  V first, second;
  int64_t i = 0;
  for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
    Vector::Interleave(Vector::Load(even + i / 2), Vector::Load(odd + i / 2), first, second);
    Vector::Store(dst + i, first);
    Vector::Store(dst + i + kLanes, second);
  }
  const int rest = static_cast<int>(count - i);
  if (rest == 0) return;
  Vector::Interleave(Vector::Load(even + i / 2), Vector::Load(odd + i / 2), first, second);
  Vector::StoreFirst(dst + i, first, rest < kLanes ? rest : kLanes);
  if (rest > kLanes) Vector::StoreFirst(dst + i + kLanes, second, rest - kLanes);
}

template <typename Vector>
void Merge(const PlaneMerge& job) {
  float* dst = job.dst;
  int64_t phase = 0, row = 0;
  const auto row_of = [&](int64_t col) {
    const int64_t cols = (job.cols - col + job.col_phases - 1) / job.col_phases;
    return job.src[phase * job.col_phases + col] + row * cols;
  };
  for (int64_t y = 0; y < job.rows; ++y, dst += job.cols) {
    if (job.col_phases == 1) {
      CopyRow<Vector>(row_of(0), job.cols, dst);
    } else if (job.col_phases == 2) {
      MergeRow<Vector>(row_of(0), row_of(1), job.cols, dst);
    } else {
      for (int64_t col = 0; col < job.col_phases; ++col) {
        const float* from = row_of(col);
        for (int64_t x = col; x < job.cols; x += job.col_phases) dst[x] = *from++;
      }
    }
    if (++phase == job.row_phases) {
      phase = 0;
      ++row;
    }
  }
}

// A value times zero is zero unless it is infinite or not a number, and then is not a number for good.
template <typename Vector>
bool AllFinite(const float* src, int64_t count) {
  typename Vector::V sum[4];
  const typename Vector::V zero = Vector::Set(0);
  for (auto& part : sum) part = zero;
  int64_t i = 0;
  for (; i + 4 * Vector::kLanes <= count; i += 4 * Vector::kLanes) {
#pragma GCC unroll 4
    for (int part = 0; part < 4; ++part)
      sum[part] = Vector::Fma(Vector::Load(src + i + part * Vector::kLanes), zero, sum[part]);
  }
  float rest = 0;
  for (; i < count; ++i) rest += src[i] * 0.0f;
  return rest == 0 && !Vector::IsNan(sum[0]) && !Vector::IsNan(sum[1]) && !Vector::IsNan(sum[2]) &&
         !Vector::IsNan(sum[3]);
}

template <typename Vector>
bool Quantize(const float* src, int64_t count, float gain, float low, float high, int16_t* dst) {
  using V = typename Vector::V;
  const V gains = Vector::Set(gain), lows = Vector::Set(low), highs = Vector::Set(high);
  bool is_nan = false;
  int64_t i = 0;
  for (; i + Vector::kLanes <= count; i += Vector::kLanes) {
    const V scaled = Vector::Mul(Vector::Load(src + i), gains);
    is_nan |= Vector::IsNan(scaled);
    Vector::Quantize(scaled, lows, highs, dst + i);
  }
  if (i < count) {
    float rest[Vector::kLanes] = {};
    int16_t symbols[Vector::kLanes];
    for (int64_t k = i; k < count; ++k) rest[k - i] = src[k];
    const V scaled = Vector::Mul(Vector::Load(rest), gains);
    is_nan |= Vector::IsNan(scaled);
    Vector::Quantize(scaled, lows, highs, symbols);
    for (int64_t k = i; k < count; ++k) dst[k] = symbols[k - i];
  }
  return !is_nan;
}

template <typename Vector>
float Cost(const CostJob& job) {
  using V = typename Vector::V;
  constexpr int kLanes = Vector::kLanes;
  const V gains = Vector::Set(job.gain), lows = Vector::Set(job.low), highs = Vector::Set(job.high);
  const typename Vector::Table table{job.bits, static_cast<int32_t>(job.num_values)};
  V sum = Vector::Set(0);
  float escaped = 0;
  bool is_nan = false;
  for (int64_t i = 0; i < job.count; i += kLanes) {
    const int lanes = job.count - i < kLanes ? static_cast<int>(job.count - i) : kLanes;
    const V values = lanes == kLanes ? Vector::Load(job.src + i) : Vector::LoadFirst(job.src + i, lanes);
    const V scaled = Vector::Mul(values, gains);
    is_nan |= Vector::IsNan(scaled);
    // A bit for each of the first lanes whose entry the table does not hold; those add nothing to the sum.
    uint32_t outside = 0;
    int32_t entries[kLanes];
    sum = Vector::AddBits(sum, scaled, lows, highs, job.min_symbol, table, lanes, outside, entries);
    for (; outside != 0; outside &= outside - 1)
      escaped += job.escape_bits(job.context, entries[__builtin_ctz(outside)] + job.min_symbol);
  }
  float sums[kLanes];
  Vector::Store(sums, sum);
  for (const float part : sums) escaped += part;
  return is_nan ? __builtin_nanf("") : escaped;
}

void Restore(const int16_t* src, int64_t count, float inverse_gain, float* dst) {
  for (int64_t i = 0; i < count; ++i) dst[i] = static_cast<float>(src[i]) * inverse_gain;
}

template <typename Vector>
constexpr Kernels KernelsOver() {
  return {Vector::kLanes, Vector::kDepthwiseVectors, Vector::kTileVectors, Conv<Vector>, Split<Vector>,
          Merge<Vector>,  AllFinite<Vector>,         Quantize<Vector>,     Cost<Vector>, Restore};
}

}  // namespace
}  // namespace strait
