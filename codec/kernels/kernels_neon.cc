#include <arm_neon.h>

#include "codec/kernels/kernels_impl.h"

namespace strait {
namespace {

struct Neon {
  static constexpr int kLanes = 4, kTileChannels = 8, kTileVectors = 3, kDepthwiseVectors = 6;
  using V = float32x4_t;

  static V Load(const float* src) { return vld1q_f32(src); }
  static V LoadFirst(const float* src, int n) {
    float values[kLanes] = {};
    for (int i = 0; i < n; ++i) values[i] = src[i];
    return vld1q_f32(values);
  }
  static V Set(float value) { return vdupq_n_f32(value); }
  static V Fma(V a, V b, V c) { return vfmaq_f32(c, a, b); }
  static V Mul(V a, V b) { return vmulq_f32(a, b); }
  static void Store(float* dst, V v) { vst1q_f32(dst, v); }
  static void StoreFirst(float* dst, V v, int n) {
    float values[kLanes];
    vst1q_f32(values, v);
    for (int i = 0; i < n; ++i) dst[i] = values[i];
  }
  static V Activate(V v, float slope) { return vbslq_f32(vcltzq_f32(v), vmulq_n_f32(v, slope), v); }
  static void Deinterleave(V a, V b, V& even, V& odd) {
    even = vuzp1q_f32(a, b);
    odd = vuzp2q_f32(a, b);
  }
  static void Interleave(V even, V odd, V& a, V& b) {
    a = vzip1q_f32(even, odd);
    b = vzip2q_f32(even, odd);
  }
  static bool IsNan(V v) { return vminvq_u32(vceqq_f32(v, v)) == 0; }
  static void Quantize(V v, V low, V high, int16_t* dst) {
    const int32x4_t rounded = vcvtnq_s32_f32(vmaxq_f32(vminq_f32(v, high), low));
    vst1_s16(dst, vmovn_s32(rounded));
  }
  using Table = TableInMemory;
  static V AddBits(V sum, V scaled, V low, V high, int32_t min_symbol, const Table& table, int lanes,
                   uint32_t& outside, int32_t* entries) {
    const int32x4_t rounded = vcvtnq_s32_f32(vmaxq_f32(vminq_f32(scaled, high), low));
    vst1q_s32(entries, vsubq_s32(rounded, vdupq_n_s32(min_symbol)));
    float bits[kLanes] = {};
    for (int i = 0; i < lanes; ++i) {
      if (entries[i] >= 0 && entries[i] < table.size) {
        bits[i] = table.bits[entries[i]];
      } else {
        outside |= 1u << i;
      }
    }
    return vaddq_f32(sum, vld1q_f32(bits));
  }
};

}  // namespace

constinit const Kernels kNeonKernels = KernelsOver<Neon>();

}  // namespace strait
