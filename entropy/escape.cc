#include "entropy/escape.h"

#include <cassert>

namespace strait {

Escape MakeEscape(int32_t symbol, int32_t min_symbol, int32_t max_symbol) {
  assert(symbol < min_symbol || symbol > max_symbol);
  if (symbol > max_symbol) return {true, static_cast<uint32_t>(int64_t{symbol} - max_symbol)};
  return {false, static_cast<uint32_t>(int64_t{min_symbol} - symbol)};
}

int64_t EscapedSymbol(const Escape& escape, int32_t min_symbol, int32_t max_symbol) {
  const int64_t distance = escape.distance;
  return escape.above ? max_symbol + distance : min_symbol - distance;
}

int EscapeBits(uint32_t distance, int max_exponent) {
  const int exponent = EscapeExponent(distance);
  return 1 + 2 * exponent + (exponent < max_exponent ? 1 : 0);
}

}  // namespace strait
