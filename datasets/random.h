// The integer generator behind every random choice of the data sets and the loader: splitmix64 (Steele, Lea and
// Flood 2014). The standard library's distributions differ between implementations, so none is used.
#pragma once

#include <cstdint>

namespace strait {

class Random {
 public:
  // Generators made from different (seed, stream, index) are independent in practice.
  Random(uint64_t seed, uint64_t stream, uint64_t index)
      : state_(Mix(Mix(Mix(seed + kStep) ^ (stream + kStep)) ^ (index + kStep))) {}

  uint64_t Next() { return Mix(state_ += kStep); }
  // Uniform in [0, bound); bound must not be 0. The bias of the multiply-shift is below bound / 2^32.
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(((Next() >> 32) * bound) >> 32); }
  // Uniform in [0, 1), a multiple of 2^-24, hence the same float everywhere.
  float Uniform() { return static_cast<float>(Next() >> 40) * 0x1p-24f; }
  float Uniform(float low, float high) { return low + (high - low) * Uniform(); }
  bool Chance(float probability) { return Uniform() < probability; }

 private:
  static constexpr uint64_t kStep = 0x9E3779B97F4A7C15;
  static uint64_t Mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

}  // namespace strait
