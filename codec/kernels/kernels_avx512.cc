#include <immintrin.h>

#include "codec/kernels/kernels_impl.h"

namespace strait {
namespace {

struct Avx512 {
  static constexpr int kLanes = 16, kTileChannels = 8, kTileVectors = 3, kDepthwiseVectors = 6;
  using V = __m512;

  static V Load(const float* src) { return _mm512_loadu_ps(src); }
  static V LoadFirst(const float* src, int n) { return _mm512_maskz_loadu_ps(Mask(n), src); }
  static V Set(float value) { return _mm512_set1_ps(value); }
  static V Fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static V Mul(V a, V b) { return _mm512_mul_ps(a, b); }
  static void Store(float* dst, V v) { _mm512_storeu_ps(dst, v); }
  static void StoreFirst(float* dst, V v, int n) { _mm512_mask_storeu_ps(dst, Mask(n), v); }
  static V Activate(V v, float slope) {
    const __mmask16 negative = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_LT_OQ);
    return _mm512_mask_mul_ps(v, negative, v, Set(slope));
  }
  static void Deinterleave(V a, V b, V& even, V& odd) {
    const __m512i evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    even = _mm512_permutex2var_ps(a, evens, b);
    odd = _mm512_permutex2var_ps(a, _mm512_add_epi32(evens, _mm512_set1_epi32(1)), b);
  }
  static void Interleave(V even, V odd, V& a, V& b) {
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    a = _mm512_permutex2var_ps(even, low, odd);
    b = _mm512_permutex2var_ps(even, _mm512_add_epi32(low, _mm512_set1_epi32(8)), odd);
  }
  static bool IsNan(V v) { return _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q) != 0; }
  static void Quantize(V v, V low, V high, int16_t* dst) {
    const __m512i rounded = _mm512_cvtps_epi32(_mm512_max_ps(_mm512_min_ps(v, high), low));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst), _mm512_cvtepi32_epi16(rounded));
  }
  // Up to 32 entries are looked up in registers.
  struct Table {
    Table(const float* the_bits, int32_t the_size) : bits(the_bits), size(the_size) {
      first = size >= kLanes ? Load(bits) : LoadFirst(bits, size);
      const int32_t rest = size - kLanes;
      second = rest <= 0 ? Set(0) : rest >= kLanes ? Load(bits + kLanes) : LoadFirst(bits + kLanes, rest);
    }
    const float* bits;
    int32_t size;
    V first, second;
  };
  static V AddBits(V sum, V scaled, V low, V high, int32_t min_symbol, const Table& table, int lanes,
                   uint32_t& outside, int32_t* entries) {
    const __m512i rounded = _mm512_cvtps_epi32(_mm512_max_ps(_mm512_min_ps(scaled, high), low));
    const __m512i entry = _mm512_sub_epi32(rounded, _mm512_set1_epi32(min_symbol));
    const __mmask16 wanted = Mask(lanes);
    const __mmask16 inside = _mm512_mask_cmplt_epu32_mask(wanted, entry, _mm512_set1_epi32(table.size));
    outside = static_cast<uint32_t>(wanted & ~inside);
    if (outside != 0) _mm512_storeu_si512(entries, entry);
    const V bits = table.size <= 2 * kLanes ? _mm512_permutex2var_ps(table.first, entry, table.second)
                                            : _mm512_mask_i32gather_ps(Set(0), inside, entry, table.bits, 4);
    return _mm512_mask_add_ps(sum, inside, sum, bits);
  }

 private:
  static __mmask16 Mask(int n) { return static_cast<__mmask16>((1u << n) - 1); }
};

}  // namespace

constinit const Kernels kAvx512Kernels = KernelsOver<Avx512>();

}  // namespace strait
