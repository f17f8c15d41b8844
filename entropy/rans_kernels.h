// SIMD code for the phases of 32 and 128 lanes of a payload: stretches of symbols of one table, in groups of 16,
// and symbols in context. A kernel does what it can and says how much that was; the scalar code does the rest.
#pragma once

#include <cstddef>
#include <cstdint>

#include "entropy/context.h"
#include "entropy/gather_tables.h"
#include "entropy/kernel_table.h"

namespace strait::rans {

inline constexpr size_t kLeastKernelLanes = 32;
inline constexpr size_t kGroup = 16;  // symbols, of lanes 16 k to 16 k + 15

struct DecodeJob {
  const KernelTable* table;
  int precision;
  uint16_t min_symbol;  // of the table, added to every entry
  uint32_t* states;
  size_t lanes;         // 32 or 128
  size_t lane;          // of the first symbol, a multiple of kGroup
  const uint8_t* next;  // unread words
  const uint8_t* end;
  uint16_t* symbols;  // where to write
  size_t count;       // of symbols, a multiple of kGroup
};

// Symbols of positions of a row, whose tables their neighbours choose. A kernel takes the channels of a position at
// a time, so that few of them are quicker without it: one takes 83 ns instead of 44 a symbol, four as long,
// eight 9.7 instead of 14.
inline constexpr size_t kLeastKernelChannels = 8;
struct ContextDecodeJob {
  const GatherTables* tables;
  int precision;
  const int* weights;  // kNumNeighbours, and the rest of a ContextTables
  const uint8_t* of_cells;
  size_t channels;
  size_t pitch;  // from a position to the next of what is near
  int16_t* row;  // near the position of the first symbol, advanced to that of the next
  const int16_t* above;
  size_t channel;  // of the first symbol, advanced too
  uint32_t* states;
  size_t lanes;         // 32 or 128
  size_t lane;          // of the first symbol
  const uint8_t* next;  // unread words
  const uint8_t* end;
  int16_t* symbols;  // where to write
  size_t count;      // of symbols, any number
};

struct EncodeJob {
  const KernelTable* table;
  int precision;
  uint16_t min_symbol;
  uint32_t* states;
  size_t lanes;             // 32 or 128
  size_t lane;              // just after that of the last symbol, of [16, lanes], a multiple of kGroup
  uint16_t* words;          // where to push: room for count words and 16 more
  const uint16_t* symbols;  // from the first on
  size_t count;             // coded from the last backwards
};

struct Kernels {
  int max_depth;  // of the tables it takes
  // Returns how many symbols were decoded from the first on, a multiple of kGroup: fewer than asked for where an
  // escape or the end of the words is near. Advances next.
  size_t (*decode)(DecodeJob& job);
  // The same for symbols in context, any number; stops before a table that does not exist, too. Null where there is
  // no such kernel.
  size_t (*decode_context)(ContextDecodeJob& job);
  // Returns how many symbols were encoded from the last on, a multiple of kGroup: fewer than asked for before a
  // symbol that is not in the table. Advances words.
  size_t (*encode)(EncodeJob& job);
  // Writes words from the last to the first, little endian.
  void (*reverse)(const uint16_t* words, size_t count, uint8_t* dst);
};

// run.operator()<depth>() for the depth of a table, of [1, kMostDepth]. (A kernel is a template over it, since its
// loops must be unrolled; every file with kernels gets its own copy, as each has its own lambdas.)
template <int kMostDepth, typename Run>
size_t ForDepth(int depth, const Run& run) {
  if constexpr (kMostDepth > 1) {
    if (depth < kMostDepth) return ForDepth<kMostDepth - 1>(depth, run);
  }
  return run.template operator()<kMostDepth>();
}

// What Kernels::reverse does, a word at a time: the reference, and the rest of a kernel. Always inlined, as files
// compiled for other instruction sets use it.
[[gnu::always_inline]] inline void ReverseWords(const uint16_t* words, size_t count, uint8_t* dst) {
  for (; count-- > 0; dst += 2) {
    dst[0] = static_cast<uint8_t>(words[count]);
    dst[1] = static_cast<uint8_t>(words[count] >> 8);
  }
}

#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
size_t DecodeContextAvx512(ContextDecodeJob& job);
#elif defined(__aarch64__)
extern const Kernels kNeonKernels;
#endif

}  // namespace strait::rans
