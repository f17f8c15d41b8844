#pragma once

#include "entropy/rans_kernels.h"
#include "entropy/simd.h"

namespace strait::rans {

// The kernels of an instruction set; null for kScalar and for what this build or this CPU lacks.
inline const Kernels* SelectKernels(Simd simd) {
  if (!IsAvailable(simd)) return nullptr;
  switch (simd) {
#if defined(__x86_64__)
    case Simd::kAvx2:
      return &kAvx2Kernels;
    case Simd::kAvx512:
      return &kAvx512Kernels;
#elif defined(__aarch64__)
    case Simd::kNeon:
      return &kNeonKernels;
#endif
    default:
      return nullptr;
  }
}

inline bool CanTake(const Kernels* kernels, const KernelTable& table) {
  return kernels != nullptr && table.depth > 0 && table.depth <= kernels->max_depth;
}

inline bool TakesContext(const Kernels* kernels, const GatherTables& tables) {
  return kernels != nullptr && kernels->decode_context != nullptr && tables.image != nullptr;
}

}  // namespace strait::rans
