// The instruction sets that entropy coding has code for, and the choice between them at run time. Every one gives
// the same bytes and symbols as kScalar.
#pragma once

#include <vector>

namespace strait {

enum class Simd { kScalar, kAvx2, kAvx512, kNeon };

// "scalar", "avx2", "avx512" or "neon".
const char* SimdName(Simd simd);

// Whether this build and this CPU can run it.
bool IsAvailable(Simd simd);

// What can be run; kScalar first, the fastest last.
std::vector<Simd> AvailableSimd();

// The fastest available, or what the environment variable STRAIT_SIMD names when that is available. Read once.
Simd DefaultSimd();

}  // namespace strait
