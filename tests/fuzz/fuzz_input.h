// Reads a fuzzer's bytes as the choices of a test: numbers in ranges, tables, and the rest. Past the end all are
// zero.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "entropy/cdf_table.h"

namespace strait::fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : bytes_(data, size) {}

  bool empty() const { return bytes_.empty(); }
  uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const uint8_t byte = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  // A number of [0, limit), limit at most 2^32.
  uint32_t Number(uint64_t limit) {
    uint64_t number = 0;
    for (uint64_t reach = 1; reach < limit; reach <<= 8) number = number << 8 | Byte();
    return static_cast<uint32_t>(number % limit);
  }
  // What is left, in an allocation of exactly its size, so that a sanitizer sees a read past it.
  std::vector<uint8_t> Rest() {
    const std::vector<uint8_t> rest(bytes_.begin(), bytes_.end());
    bytes_ = {};
    return rest;
  }

 private:
  std::span<const uint8_t> bytes_;
};

// A fuzzer reports a test that fails as a crash.
inline void Expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

// Sound tables of shapes that the input chooses, at the ends of the symbols' type among others.
inline CdfTableSet SoundTables(Input& input, int symbol_bits) {
  const int precision = kMinPrecision + static_cast<int>(input.Number(kMaxPrecision - kMinPrecision + 1));
  const int64_t lowest = -(int64_t{1} << (symbol_bits - 1)), highest = -lowest - 1;
  std::vector<CdfTable> tables;
  const uint32_t count = 1 + input.Number(4);
  for (uint32_t t = 0; t < count; ++t) {
    CdfTable table;
    const uint32_t most = symbol_bits == 8 ? 120 : precision < 10 ? 200 : 400;
    const uint32_t values = 1 + input.Number(input.Byte() % 2 != 0 ? most : 40);
    table.has_escape = input.Byte() % 2 != 0;
    const uint8_t place = input.Byte();
    table.min_symbol = static_cast<int32_t>(place == 0   ? lowest
                                            : place == 1 ? highest - values + 1
                                                         : int64_t{place} % 100 - 100);
    std::vector<double> weights;
    uint32_t weight = 1 + input.Byte();
    for (uint32_t i = 0; i < values + (table.has_escape ? 1 : 0); ++i) {
      weight = i % 8 == 0 && !input.empty() ? 1 + input.Byte() : (weight * 77 + 13) % 256 + 1;
      weights.push_back(weight);
    }
    table.freq = QuantizeFrequencies(weights, precision).value();
    tables.push_back(std::move(table));
  }
  return CdfTableSet::Create(std::move(tables), precision, symbol_bits).value();
}

}  // namespace strait::fuzz
