#include <cmath>

#include "codec/kernels/kernels_impl.h"

namespace strait {
namespace {

// The reference, for machines without one of the others. Slow where the CPU has no fused multiply-add, since the C
// library then computes it in steps; the bits are the same.
struct Portable {
  static constexpr int kLanes = 4, kTileChannels = 4, kTileVectors = 1, kDepthwiseVectors = 1;
  struct V {
    float lane[kLanes];
  };

  template <typename F>
  static V Each(const F& value) {
    V v;
    for (int i = 0; i < kLanes; ++i) v.lane[i] = value(i);
    return v;
  }
  static V Load(const float* src) {
    return Each([&](int i) { return src[i]; });
  }
  static V LoadFirst(const float* src, int n) {
    return Each([&](int i) { return i < n ? src[i] : 0.0f; });
  }
  static V Set(float value) {
    return Each([&](int) { return value; });
  }
  static V Fma(V a, V b, V c) {
    return Each([&](int i) { return std::fma(a.lane[i], b.lane[i], c.lane[i]); });
  }
  static V Mul(V a, V b) {
    return Each([&](int i) { return a.lane[i] * b.lane[i]; });
  }
  static void Store(float* dst, V v) { StoreFirst(dst, v, kLanes); }
  static void StoreFirst(float* dst, V v, int n) {
    for (int i = 0; i < n; ++i) dst[i] = v.lane[i];
  }
  static V Activate(V v, float slope) {
    return Each([&](int i) { return v.lane[i] < 0 ? v.lane[i] * slope : v.lane[i]; });
  }
  static void Deinterleave(V a, V b, V& even, V& odd) {
    const auto at = [&](int i) { return i < kLanes ? a.lane[i] : b.lane[i - kLanes]; };
    even = Each([&](int i) { return at(2 * i); });
    odd = Each([&](int i) { return at(2 * i + 1); });
  }
  static void Interleave(V even, V odd, V& a, V& b) {
    const auto at = [&](int i) { return (i % 2 == 0 ? even : odd).lane[i / 2]; };
    a = Each([&](int i) { return at(i); });
    b = Each([&](int i) { return at(kLanes + i); });
  }
  static bool IsNan(V v) {
    bool is_nan = false;
    for (const float value : v.lane) is_nan |= value != value;
    return is_nan;
  }
  static int32_t Rounded(float value, float low, float high) {
    const float below = value < high ? value : high;
    return static_cast<int32_t>(std::nearbyint(below > low ? below : low));
  }
  static void Quantize(V v, V low, V high, int16_t* dst) {
    for (int i = 0; i < kLanes; ++i) dst[i] = static_cast<int16_t>(Rounded(v.lane[i], low.lane[i], high.lane[i]));
  }
  using Table = TableInMemory;
  static V AddBits(V sum, V scaled, V low, V high, int32_t min_symbol, const Table& table, int lanes,
                   uint32_t& outside, int32_t* entries) {
    for (int i = 0; i < lanes; ++i) {
      entries[i] = Rounded(scaled.lane[i], low.lane[i], high.lane[i]) - min_symbol;
      if (entries[i] >= 0 && entries[i] < table.size) {
        sum.lane[i] += table.bits[entries[i]];
      } else {
        outside |= 1u << i;
      }
    }
    return sum;
  }
};

}  // namespace

constinit const Kernels kPortableKernels = KernelsOver<Portable>();

}  // namespace strait
