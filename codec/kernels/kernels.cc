#include "codec/kernels/kernels.h"

namespace strait {

const Kernels& KernelsOf(Simd simd) {
  if (!IsAvailable(simd)) return kPortableKernels;
  switch (simd) {
#if defined(__x86_64__)
    case Simd::kAvx2:
      return kAvx2Kernels;
    case Simd::kAvx512:
      return kAvx512Kernels;
#elif defined(__aarch64__)
    case Simd::kNeon:
      return kNeonKernels;
#endif
    default:
      return kPortableKernels;
  }
}

const Kernels& KernelsFor(Simd simd, int64_t cols) {
  if (simd == Simd::kAvx512 && cols <= 8) simd = Simd::kAvx2;
  return KernelsOf(simd);
}

}  // namespace strait
