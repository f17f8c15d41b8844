// The bits that follow an escape entry: how far outside its table's range a symbol lies (docs/format.md, escape).
// One side bit (1 is above), then the distance d of [1, 65535] in Exp-Golomb bits: with n = floor(log2 d), n ones,
// a zero unless n is 15, and the n low bits of d. At most 31 bits; thread-safe.
#pragma once

#include <bit>
#include <cstdint>

namespace strait {

inline constexpr int kMaxEscapeExponent = 15;  // int16 symbols are at most 65535 apart
inline constexpr int kMaxEscapeBits = 31;      // side, fifteen ones, fifteen low bits

struct Escape {
  bool above = false;
  uint32_t distance = 1;  // from the table's nearest value, of [1, 65535]
};

// Precondition: symbol is an int16 outside [min_symbol, max_symbol].
Escape MakeEscape(int32_t symbol, int32_t min_symbol, int32_t max_symbol);

// The symbol an escape stands for; outside int16 when the escape is corrupt.
int32_t EscapedSymbol(const Escape& escape, int32_t min_symbol, int32_t max_symbol);

inline int EscapeExponent(uint32_t distance) { return std::bit_width(distance) - 1; }

// Bits an escape takes after its entry.
int EscapeBits(uint32_t distance);

// Calls put(value, bits) for the parts of an escape last part first, the order in which a rANS encoder needs them.
template <typename PutBits>
void PutEscapeBackwards(const Escape& escape, PutBits&& put) {
  const int exponent = EscapeExponent(escape.distance);
  put(escape.distance & ((uint32_t{1} << exponent) - 1), exponent);
  if (exponent < kMaxEscapeExponent) put(0u, 1);
  for (int i = 0; i < exponent; ++i) put(1u, 1);
  put(escape.above ? 1u : 0u, 1);
}

// Calls get(bits), which returns that many bits as a number, until the escape is complete. Any bits are a valid
// escape.
template <typename GetBits>
Escape GetEscape(GetBits&& get) {
  Escape escape;
  escape.above = get(1) != 0;
  int exponent = 0;
  while (exponent < kMaxEscapeExponent && get(1) != 0) ++exponent;
  escape.distance = (uint32_t{1} << exponent) | get(exponent);
  return escape;
}

}  // namespace strait
