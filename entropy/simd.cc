#include "entropy/simd.h"

#include <cstdlib>
#include <string_view>

namespace strait {
namespace {

Simd ChooseSimd() {
  const std::vector<Simd> available = AvailableSimd();
  if (const char* const wanted = std::getenv("STRAIT_SIMD")) {
    for (const Simd simd : available) {
      if (std::string_view(wanted) == SimdName(simd)) return simd;
    }
  }
  return available.back();
}

}  // namespace

const char* SimdName(Simd simd) {
  switch (simd) {
    case Simd::kScalar:
      return "scalar";
    case Simd::kAvx2:
      return "avx2";
    case Simd::kAvx512:
      return "avx512";
    case Simd::kNeon:
      return "neon";
  }
  return "unknown";
}

bool IsAvailable(Simd simd) {
  switch (simd) {
    case Simd::kScalar:
      return true;
#if defined(__x86_64__)
    case Simd::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Simd::kAvx512:
      return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512vbmi2");
#elif defined(__aarch64__)
    case Simd::kNeon:
      return true;
#endif
    default:
      return false;
  }
}

std::vector<Simd> AvailableSimd() {
  std::vector<Simd> available;
  for (const Simd simd : {Simd::kScalar, Simd::kNeon, Simd::kAvx2, Simd::kAvx512}) {
    if (IsAvailable(simd)) available.push_back(simd);
  }
  return available;
}

Simd DefaultSimd() {
  static const Simd simd = ChooseSimd();
  return simd;
}

}  // namespace strait
