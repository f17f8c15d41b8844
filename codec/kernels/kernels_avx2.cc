#include <immintrin.h>

#include "codec/kernels/kernels_impl.h"

namespace strait {
namespace {

struct Avx2 {
  static constexpr int kLanes = 8, kTileChannels = 4, kTileVectors = 3, kDepthwiseVectors = 6;
  using V = __m256;

  static V Load(const float* src) { return _mm256_loadu_ps(src); }
  static V LoadFirst(const float* src, int n) { return _mm256_maskload_ps(src, Mask(n)); }
  static V Set(float value) { return _mm256_set1_ps(value); }
  static V Fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static V Mul(V a, V b) { return _mm256_mul_ps(a, b); }
  static void Store(float* dst, V v) { _mm256_storeu_ps(dst, v); }
  static void StoreFirst(float* dst, V v, int n) { _mm256_maskstore_ps(dst, Mask(n), v); }
  static V Activate(V v, float slope) {
    const V negative = _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_LT_OQ);
    return _mm256_blendv_ps(v, Mul(v, Set(slope)), negative);
  }
  static void Deinterleave(V a, V b, V& even, V& odd) {
    const V low = _mm256_permute2f128_ps(a, b, 0x20), high = _mm256_permute2f128_ps(a, b, 0x31);
    even = _mm256_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0));
    odd = _mm256_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1));
  }
  static void Interleave(V even, V odd, V& a, V& b) {
    const V low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);
    a = _mm256_permute2f128_ps(low, high, 0x20);
    b = _mm256_permute2f128_ps(low, high, 0x31);
  }
  static bool IsNan(V v) { return _mm256_movemask_ps(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)) != 0; }
  static void Quantize(V v, V low, V high, int16_t* dst) {
    const __m256i rounded = _mm256_cvtps_epi32(_mm256_max_ps(_mm256_min_ps(v, high), low));
    const __m128i symbols = _mm_packs_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(dst), symbols);
  }
  using Table = TableInMemory;
  static V AddBits(V sum, V scaled, V low, V high, int32_t min_symbol, const Table& table, int lanes,
                   uint32_t& outside, int32_t* entries) {
    const __m256i rounded = _mm256_cvtps_epi32(_mm256_max_ps(_mm256_min_ps(scaled, high), low));
    const __m256i entry = _mm256_sub_epi32(rounded, _mm256_set1_epi32(min_symbol));
    // No entry of int16 symbols is large enough to be below zero twice: a signed range check is enough.
    const __m256i fits = _mm256_and_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(table.size), entry),
                                          _mm256_cmpgt_epi32(entry, _mm256_set1_epi32(-1)));
    const __m256i inside = _mm256_and_si256(fits, Mask(lanes));
    const int wanted = (1 << lanes) - 1;
    outside = static_cast<uint32_t>(wanted & ~_mm256_movemask_ps(_mm256_castsi256_ps(fits)));
    if (outside != 0) _mm256_storeu_si256(reinterpret_cast<__m256i*>(entries), entry);
    const V bits = _mm256_mask_i32gather_ps(_mm256_setzero_ps(), table.bits, entry, _mm256_castsi256_ps(inside), 4);
    return _mm256_add_ps(sum, bits);
  }

 private:
  static __m256i Mask(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

}  // namespace

constinit const Kernels kAvx2Kernels = KernelsOver<Avx2>();

}  // namespace strait
