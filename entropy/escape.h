// The bits that follow an escape entry: how far outside its table's range a symbol lies (docs/format.md, escape).
// One side bit (1 is above), then the distance d in Exp-Golomb bits: with n = floor(log2 d), n ones, a zero unless
// n is the largest possible, and the n low bits of d. Bounded: at most 15, 31 or 63 bits for symbols of 8, 16 or 32
// bits. Thread-safe.
#pragma once

#include <bit>
#include <cstdint>

namespace strait {

// Two signed integers of symbol_bits are at most 2^symbol_bits - 1 apart.
constexpr int MaxEscapeExponent(int symbol_bits) { return symbol_bits - 1; }

struct Escape {
  bool above = false;
  uint32_t distance = 1;  // from the table's nearest value, at least 1
};

// Precondition: symbol is outside [min_symbol, max_symbol].
Escape MakeEscape(int32_t symbol, int32_t min_symbol, int32_t max_symbol);

// The symbol an escape stands for; outside the symbols' type when the escape is corrupt.
int64_t EscapedSymbol(const Escape& escape, int32_t min_symbol, int32_t max_symbol);

inline int EscapeExponent(uint32_t distance) { return std::bit_width(distance) - 1; }

// Bits an escape takes after its entry.
int EscapeBits(uint32_t distance, int max_exponent);

// Exp-Golomb bits of a number of [1, 2^(max_exponent + 1)): calls put(value, bits), bits at most 16, last part
// first, the order in which a rANS encoder needs them.
template <typename PutBits>
void PutExpGolombBackwards(uint32_t number, int max_exponent, PutBits&& put) {
  const int exponent = std::bit_width(number) - 1;
  const uint32_t low = number - (uint32_t{1} << exponent);
  if (exponent > 16) {
    put(low & 0xffff, 16);
    put(low >> 16, exponent - 16);
  } else {
    put(low, exponent);
  }
  if (exponent < max_exponent) put(0u, 1);
  for (int i = 0; i < exponent; ++i) put(1u, 1);
}

// The inverse: calls get(bits), bits at most 16, which returns that many bits as a number. Any bits are a valid
// number.
template <typename GetBits>
uint32_t GetExpGolomb(int max_exponent, GetBits&& get) {
  int exponent = 0;
  while (exponent < max_exponent && get(1) != 0) ++exponent;
  const uint32_t one = uint32_t{1} << exponent;
  if (exponent <= 16) return one | get(exponent);
  const uint32_t high = get(exponent - 16);
  return one | high << 16 | get(16);
}

template <typename PutBits>
void PutEscapeBackwards(const Escape& escape, int max_exponent, PutBits&& put) {
  PutExpGolombBackwards(escape.distance, max_exponent, put);
  put(escape.above ? 1u : 0u, 1);
}

template <typename GetBits>
Escape GetEscape(int max_exponent, GetBits&& get) {
  Escape escape;
  escape.above = get(1) != 0;
  escape.distance = GetExpGolomb(max_exponent, get);
  return escape;
}

}  // namespace strait
