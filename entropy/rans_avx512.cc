// Compiled for AVX-512 BW, VL and VBMI2. It must not instantiate inline functions of other headers: the linker
// might pick its copies for machines without these.
#include <immintrin.h>

#include "entropy/rans_kernels.h"

namespace strait::rans {
namespace {

constexpr size_t kLanesPerVector = 16;
constexpr size_t kVectors = 8;  // of the 128 lanes
constexpr size_t kPairs = kVectors / 2;
constexpr size_t kPairLanes = 2 * kLanesPerVector;
constexpr size_t kWideRound = kVectors * kLanesPerVector;
constexpr int kMaxDepth = 8;  // of the tables taken
constexpr size_t kWordBytes = 2;

// 16-bit lookups of 32-bit lanes: the low word of each lane counts.
constexpr __mmask32 kLowWordsMask = 0x55555555;

// A section of a table as registers of 32 words.
template <int kDepth>
struct Section {
  static constexpr int kRegisters = kDepth <= 5 ? 1 : 1 << (kDepth - 5);

  explicit Section(const uint16_t* words) {
    for (int i = 0; i < kRegisters; ++i) registers[i] = _mm512_loadu_si512(words + 32 * i);
  }

  // The words at the indices, modulo the size of the section.
  __m512i At(__m512i index) const { return Lookup<0, kRegisters>(index); }
  // Those at the low words of 32-bit lanes; the high ones are zeroed.
  __m512i LowWordsAt(__m512i index) const { return _mm512_maskz_mov_epi16(kLowWordsMask, At(index)); }

  // One level of the search tree: nodes [2^level, 2^(level + 1)).
  template <int kLevel>
  __m512i Level(__m512i node) const {
    if constexpr (kLevel < 5) return Lookup<0, 1>(node);
    if constexpr (kLevel >= 5) return Lookup<1 << (kLevel - 5), 1 << (kLevel - 5)>(node);
  }

  template <int kFirst, int kCount>
  __m512i Lookup(__m512i index) const {
    if constexpr (kCount == 1) return _mm512_permutexvar_epi16(index, registers[kFirst]);
    if constexpr (kCount == 2) return _mm512_permutex2var_epi16(registers[kFirst], index, registers[kFirst + 1]);
    if constexpr (kCount > 2) {
      const __mmask32 is_upper = _mm512_test_epi16_mask(index, _mm512_set1_epi16(16 * kCount));
      const __m512i lower = Lookup<kFirst, kCount / 2>(index);
      const __m512i upper = Lookup<kFirst + kCount / 2, kCount / 2>(index);
      return _mm512_mask_blend_epi16(is_upper, lower, upper);
    }
  }

  __m512i registers[kRegisters];
};

// The low words of two vectors of 32-bit lanes, in order.
__m512i LowWords(__m512i first, __m512i second) {
  const __m512i even = _mm512_set_epi16(62, 60, 58, 56, 54, 52, 50, 48, 46, 44, 42, 40, 38, 36, 34, 32, 30, 28, 26,
                                        24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  return _mm512_permutex2var_epi16(first, even, second);
}

template <int kDepth>
struct DecodeTables {
  explicit DecodeTables(const DecodeJob& job)
      : tree(job.table->section(kTreeSection)),
        freq(job.table->section(kFreqSection)),
        cum(job.table->section(kCumSection)),
        slot_mask(_mm512_set1_epi16(static_cast<short>((1 << job.precision) - 1))),
        escape(_mm512_set1_epi16(
            static_cast<short>(job.table->has_escape ? job.table->num_values + (1 << kDepth) : 0))),
        bias(_mm512_set1_epi16(static_cast<short>(job.min_symbol - (1 << kDepth)))),
        precision(_mm_cvtsi32_si128(job.precision)) {}

  Section<kDepth> tree, freq, cum;
  __m512i slot_mask, escape, bias;
  __m128i precision;
};

// Words of 16 lanes as 32-bit lanes with zeros above: the upper half of a vector of 32.
__m512i UpperHalf(__m512i words) {
  const __m512i index = _mm512_set_epi16(0, 31, 0, 30, 0, 29, 0, 28, 0, 27, 0, 26, 0, 25, 0, 24, 0, 23, 0, 22, 0,
                                         21, 0, 20, 0, 19, 0, 18, 0, 17, 0, 16);
  return _mm512_maskz_permutexvar_epi16(kLowWordsMask, index, words);
}
__m512i LowerHalf(__m512i words) { return _mm512_cvtepu16_epi32(_mm512_castsi512_si256(words)); }

// 32 lanes: the states of the first 16 and of the last.
struct Pair {
  __m512i first, last;
};

// The tree's node that each slot belongs to, in order of the lanes: entry + 2^depth. For kCount pairs in lockstep,
// since one alone waits most of the time.
template <size_t kCount, int kDepth>
inline void Find(const DecodeTables<kDepth>& tables, const Pair (&states)[kCount], __m512i (&nodes)[kCount]) {
  __m512i slots[kCount];
  for (size_t i = 0; i < kCount; ++i) {
    slots[i] = _mm512_and_si512(LowWords(states[i].first, states[i].last), tables.slot_mask);
    nodes[i] = _mm512_set1_epi16(1);
  }
  // Down the tree: append the sign of bound - slot to the node.
  const auto descend = [&]<int kLevel>() {
    if constexpr (kLevel < kDepth) {
      for (size_t i = 0; i < kCount; ++i) {
        const __m512i bound = tables.tree.template Level<kLevel>(nodes[i]);
        nodes[i] = _mm512_shldi_epi16(nodes[i], _mm512_sub_epi16(bound, slots[i]), 1);
      }
    }
  };
  descend.template operator()<0>();
  descend.template operator()<1>();
  descend.template operator()<2>();
  descend.template operator()<3>();
  descend.template operator()<4>();
  descend.template operator()<5>();
  descend.template operator()<6>();
  descend.template operator()<7>();
}

// Undoes the step of 32 lanes.
template <int kDepth>
inline void Undo(const DecodeTables<kDepth>& tables, Pair& states, __m512i node) {
  const __m512i slot = _mm512_and_si512(LowWords(states.first, states.last), tables.slot_mask);
  const __m512i freq = tables.freq.At(node);
  const __m512i offset = _mm512_sub_epi16(slot, tables.cum.At(node));
  const auto undo = [&](__m512i s, __m512i f, __m512i o) {
    return _mm512_add_epi32(_mm512_mullo_epi32(f, _mm512_srl_epi32(s, tables.precision)), o);
  };
  states.first = undo(states.first, LowerHalf(freq), LowerHalf(offset));
  states.last = undo(states.last, UpperHalf(freq), UpperHalf(offset));
}

// Refills 32 lanes with the next words.
inline void Refill(Pair& states, const uint8_t*& next) {
  const __m512i limit = _mm512_set1_epi32(1 << 16);
  const __mmask16 first = _mm512_cmplt_epu32_mask(states.first, limit);
  const __mmask16 last = _mm512_cmplt_epu32_mask(states.last, limit);
  const __mmask32 both = _mm512_kunpackw(last, first);
  __m512i unread = _mm512_loadu_si512(next);
  asm("" : "+v"(unread));  // expanding from a register takes a third of the time of expanding from memory
  const __m512i words = _mm512_maskz_expand_epi16(both, unread);
  next += kWordBytes * static_cast<unsigned>(_mm_popcnt_u32(both));
  // A refilled lane is its word below, its former low word above.
  const __m512i lower = _mm512_set_epi16(30, 47, 28, 46, 26, 45, 24, 44, 22, 43, 20, 42, 18, 41, 16, 40, 14, 39, 12,
                                         38, 10, 37, 8, 36, 6, 35, 4, 34, 2, 33, 0, 32);
  const __m512i upper = _mm512_add_epi32(lower, _mm512_set1_epi32(16));
  states.first = _mm512_mask_mov_epi32(states.first, first, _mm512_permutex2var_epi16(states.first, lower, words));
  states.last = _mm512_mask_mov_epi32(states.last, last, _mm512_permutex2var_epi16(states.last, upper, words));
}

template <int kDepth>
size_t DecodeStretch(DecodeJob& job) {
  const DecodeTables<kDepth> tables(job);
  const uint8_t* next = job.next;
  const uint8_t* const end = job.end;
  uint16_t* symbols = job.symbols;
  size_t left = job.count;
  const size_t vectors = job.lanes / kLanesPerVector;
  const auto has_words = [&](size_t most) { return static_cast<size_t>(end - next) >= most * kWordBytes; };

  // The rest of a round from vector `v` on; false before an escape or the end of the words.
  const auto decode_round = [&](size_t v) {
    for (; v + 1 < vectors && left >= kPairLanes; v += 2) {
      Pair states[1] = {{_mm512_loadu_si512(job.states + kLanesPerVector * v),
                         _mm512_loadu_si512(job.states + kLanesPerVector * (v + 1))}};
      __m512i node[1];
      Find(tables, states, node);
      if (!has_words(kPairLanes) || _mm512_cmpeq_epi16_mask(node[0], tables.escape) != 0) break;
      Undo(tables, states[0], node[0]);
      Refill(states[0], next);
      _mm512_storeu_si512(job.states + kLanesPerVector * v, states[0].first);
      _mm512_storeu_si512(job.states + kLanesPerVector * (v + 1), states[0].last);
      _mm512_storeu_si512(symbols, _mm512_add_epi16(node[0], tables.bias));
      symbols += kPairLanes;
      left -= kPairLanes;
    }
    for (; v < vectors && left > 0; ++v) {
      // The last lanes do nothing: they are never refilled, and their symbols are not stored.
      Pair states[1] = {{_mm512_loadu_si512(job.states + kLanesPerVector * v), _mm512_set1_epi32(1 << 16)}};
      __m512i node[1];
      Find(tables, states, node);
      const __mmask32 escapes = _mm512_cmpeq_epi16_mask(node[0], tables.escape) & 0xffff;
      if (!has_words(kPairLanes) || escapes != 0) return false;
      Undo(tables, states[0], node[0]);
      states[0].last = _mm512_set1_epi32(1 << 16);
      Refill(states[0], next);
      _mm512_storeu_si512(job.states + kLanesPerVector * v, states[0].first);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(symbols),
                          _mm512_castsi512_si256(_mm512_add_epi16(node[0], tables.bias)));
      symbols += kLanesPerVector;
      left -= kLanesPerVector;
    }
    return true;
  };
  // Full rounds of 128 lanes, their states in registers, up to one that holds an escape.
  const auto decode_wide_rounds = [&] {
    Pair pairs[kPairs];
    for (size_t i = 0; i < kPairs; ++i) {
      pairs[i] = {_mm512_loadu_si512(job.states + 32 * i), _mm512_loadu_si512(job.states + 32 * i + 16)};
    }
    for (; left >= kWideRound && has_words(kWideRound); left -= kWideRound, symbols += kWideRound) {
      __m512i nodes[kPairs];
      Find(tables, pairs, nodes);
      __mmask32 escapes = 0;
      for (size_t i = 0; i < kPairs; ++i) escapes |= _mm512_cmpeq_epi16_mask(nodes[i], tables.escape);
      if (escapes != 0) break;
      for (size_t i = 0; i < kPairs; ++i) {
        Undo(tables, pairs[i], nodes[i]);
        _mm512_storeu_si512(symbols + 32 * i, _mm512_add_epi16(nodes[i], tables.bias));
      }
      for (size_t i = 0; i < kPairs; ++i) Refill(pairs[i], next);
    }
    for (size_t i = 0; i < kPairs; ++i) {
      _mm512_storeu_si512(job.states + 32 * i, pairs[i].first);
      _mm512_storeu_si512(job.states + 32 * i + 16, pairs[i].last);
    }
  };

  for (size_t v = job.lane / kLanesPerVector; left > 0; v = 0) {
    if (v == 0 && vectors == kVectors && left >= kWideRound) decode_wide_rounds();
    if (!decode_round(v)) break;
  }
  job.next = next;
  return job.count - left;
}

size_t Decode(DecodeJob& job) {
  return ForDepth<kMaxDepth>(job.table->depth, [&]<int kDepth>() { return DecodeStretch<kDepth>(job); });
}

// Lanes in reverse: the encoder pushes the word of the highest lane first.
__m512i Reversed(__m512i lanes) {
  return _mm512_permutexvar_epi32(_mm512_set_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), lanes);
}

template <int kDepth>
struct EncodeTables {
  explicit EncodeTables(const EncodeJob& job)
      : freq(job.table->section(kFreqSection)),
        cum(job.table->section(kCumSection)),
        low(job.table->section(kReciprocalLow)),
        high(job.table->section(kReciprocalHigh)),
        shift(job.table->section(kReciprocalShift)),
        min_symbol(_mm256_set1_epi16(static_cast<short>(job.min_symbol))),
        num_values(_mm256_set1_epi16(static_cast<short>(job.table->num_values))),
        offset(_mm256_set1_epi16(1 << kDepth)),
        total(_mm512_set1_epi32(1 << job.precision)),
        spare(_mm_cvtsi32_si128(32 - job.precision)) {}

  Section<kDepth> freq, cum, low, high, shift;
  __m256i min_symbol, num_values, offset;
  __m512i total;
  __m128i spare;
};

// Whether a round of 128 symbols is in the table.
template <int kDepth>
inline bool AreInTable(const EncodeTables<kDepth>& tables, const uint16_t* symbols) {
  const __m512i min_symbol = _mm512_broadcastw_epi16(_mm256_castsi256_si128(tables.min_symbol));
  __m512i largest = _mm512_setzero_si512();
  for (size_t i = 0; i < kWideRound; i += 32) {
    largest = _mm512_max_epu16(largest, _mm512_sub_epi16(_mm512_loadu_si512(symbols + i), min_symbol));
  }
  return _mm512_cmpge_epu16_mask(largest, _mm512_broadcastw_epi16(_mm256_castsi256_si128(tables.num_values))) == 0;
}

// One step of 16 lanes, held in reverse; false, and nothing done, before a symbol that is not in the table.
template <int kDepth>
inline bool EncodeGroup(const EncodeTables<kDepth>& tables, const uint16_t* symbols, __m512i& states,
                        uint16_t*& words) {
  const __m256i entry =
      _mm256_sub_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(symbols)), tables.min_symbol);
  if (_mm256_cmpge_epu16_mask(entry, tables.num_values) != 0) return false;
  const __m512i index = Reversed(_mm512_cvtepu16_epi32(_mm256_add_epi16(entry, tables.offset)));
  const __m512i freq = tables.freq.LowWordsAt(index);
  const __m512i cum = tables.cum.LowWordsAt(index);
  const __m512i low = tables.low.LowWordsAt(index);
  const __m512i multiplier = _mm512_or_si512(low, _mm512_slli_epi32(tables.high.At(index), 16));
  const __m512i shift_word = tables.shift.At(index);
  const __m512i shift = _mm512_and_si512(shift_word, _mm512_set1_epi32(31));
  const __m512i increment = _mm512_and_si512(_mm512_srli_epi32(shift_word, 15), _mm512_set1_epi32(1));

  __m512i s = states;
  const __mmask16 full = _mm512_cmpge_epu32_mask(_mm512_srl_epi32(s, tables.spare), freq);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(words),
                      _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(full, s)));
  words += static_cast<unsigned>(_mm_popcnt_u32(full));
  s = _mm512_mask_srli_epi32(s, full, s, 16);

  const __m512i dividend = _mm512_add_epi32(s, increment);
  const __m512i even_product = _mm512_srli_epi64(_mm512_mul_epu32(dividend, multiplier), 32);
  const __m512i odd_product = _mm512_mul_epu32(_mm512_srli_epi64(dividend, 32), _mm512_srli_epi64(multiplier, 32));
  const __m512i quotient = _mm512_srlv_epi32(_mm512_mask_blend_epi32(0xaaaa, even_product, odd_product), shift);
  // quotient * 2^p + (s - quotient * freq) + cum
  states = _mm512_add_epi32(_mm512_add_epi32(s, cum),
                            _mm512_mullo_epi32(quotient, _mm512_sub_epi32(tables.total, freq)));
  return true;
}

template <int kDepth>
size_t EncodeStretch(EncodeJob& job) {
  const EncodeTables<kDepth> tables(job);
  const uint16_t* symbols = job.symbols + job.count;
  uint16_t* words = job.words;
  size_t left = job.count;
  const size_t vectors = job.lanes / kLanesPerVector;

  // The rest of a round below vector `v`, vector by vector; false before a symbol that is not in the table.
  const auto encode_round = [&](size_t v) {
    for (; v > 0 && left > 0; --v, left -= kGroup, symbols -= kGroup) {
      uint32_t* const states = job.states + kLanesPerVector * (v - 1);
      __m512i s = Reversed(_mm512_loadu_si512(states));
      if (!EncodeGroup(tables, symbols - kGroup, s, words)) return false;
      _mm512_storeu_si512(states, Reversed(s));
    }
    return true;
  };
  // Full rounds of 128 lanes, their states in registers.
  const auto encode_wide_rounds = [&] {
    __m512i s[kVectors];
    for (size_t v = 0; v < kVectors; ++v) s[v] = Reversed(_mm512_loadu_si512(job.states + kLanesPerVector * v));
    for (; left >= kWideRound && AreInTable(tables, symbols - kWideRound);
         left -= kWideRound, symbols -= kWideRound) {
      for (size_t v = kVectors; v-- > 0;) {
        EncodeGroup(tables, symbols - kWideRound + kGroup * v, s[v], words);
      }
    }
    for (size_t v = 0; v < kVectors; ++v) _mm512_storeu_si512(job.states + kLanesPerVector * v, Reversed(s[v]));
  };

  for (size_t v = job.lane / kLanesPerVector; left > 0; v = vectors) {
    if (v == kVectors && left >= kWideRound) encode_wide_rounds();
    if (!encode_round(v)) break;
  }
  job.words = words;
  return job.count - left;
}

size_t Encode(EncodeJob& job) {
  return ForDepth<kMaxDepth>(job.table->depth, [&]<int kDepth>() { return EncodeStretch<kDepth>(job); });
}

void Reverse(const uint16_t* words, size_t count, uint8_t* dst) {
  size_t i = count;
  const __m512i backwards = _mm512_set_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
                                             20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
  for (; i >= 32; i -= 32, dst += 64) {
    _mm512_storeu_si512(dst, _mm512_permutexvar_epi16(backwards, _mm512_loadu_si512(words + i - 32)));
  }
  ReverseWords(words, i, dst);
}

}  // namespace

extern const Kernels kAvx512Kernels;
const Kernels kAvx512Kernels = {kMaxDepth, Decode, DecodeContextAvx512, Encode, Reverse};

}  // namespace strait::rans
