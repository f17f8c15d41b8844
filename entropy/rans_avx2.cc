// Compiled for AVX2. It must not instantiate inline functions of other headers: the linker might pick its copies
// for machines without it.
#include <immintrin.h>

#include "entropy/rans_kernels.h"

namespace strait::rans {
namespace {

constexpr int kMaxDepth = 6;  // of the tables taken
constexpr size_t kWordBytes = 2;

// For each set of 8 lanes, given by its bits: where to take the next lanes from. `expand` gives lane l the number
// of set lanes below it; `compress` lists the set lanes from the highest to the lowest.
struct LaneOrders {
  alignas(8) uint8_t expand[256][8];
  alignas(8) uint8_t compress[256][8];
};

constexpr LaneOrders MakeLaneOrders() {
  LaneOrders orders = {};
  for (int bits = 0; bits < 256; ++bits) {
    int below = 0;
    for (int lane = 0; lane < 8; ++lane) {
      orders.expand[bits][lane] = static_cast<uint8_t>(below);
      below += bits >> lane & 1;
    }
    int listed = 0;
    for (int lane = 7; lane >= 0; --lane) {
      if (bits >> lane & 1) orders.compress[bits][listed++] = static_cast<uint8_t>(lane);
    }
  }
  return orders;
}

constexpr LaneOrders kLaneOrders = MakeLaneOrders();

__m256i LaneOrder(const uint8_t (&order)[8]) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(order)));
}

// 16 lanes in two vectors. Their words are kept in the order of unpacklo and unpackhi: lanes 0-3, 8-11, 4-7, 12-15.
struct Pair {
  __m256i first, last;
};

Pair Widen(__m256i words) {
  const __m256i zero = _mm256_setzero_si256();
  return {_mm256_unpacklo_epi16(words, zero), _mm256_unpackhi_epi16(words, zero)};
}
// From that order to the natural one and back.
__m256i Reorder(__m256i words) { return _mm256_permute4x64_epi64(words, 0xd8); }

Pair Load(const uint32_t* states) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(states)),
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(states + 8))};
}
void Store(const Pair& pair, uint32_t* states) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(states), pair.first);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(states + 8), pair.last);
}

// An index n of a word, as bytes: 2n in the low one, 2n + 1 in the high one, which is how byte shuffles find the
// word.
constexpr short kPerIndex = 0x0202, kHighByte = 0x0100;
__m256i ByteIndex(int n) { return _mm256_set1_epi16(static_cast<short>(n * kPerIndex + kHighByte)); }

// Words of a section in pieces of 8, each repeated in both halves of a register.
template <int kPieces>
struct Pieces {
  explicit Pieces(const uint16_t* words) {
    for (int i = 0; i < kPieces; ++i) {
      piece[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(words + 8 * i)));
    }
  }
  // The word at index mod (8 * kPieces). Bit 3 of an index is bit 4 of its bytes, and so on: shifted to bit 7 it
  // blends.
  __m256i At(__m256i index) const {
    if constexpr (kPieces == 1) return _mm256_shuffle_epi8(piece[0], index);
    if constexpr (kPieces == 2) return Choose(0, index, _mm256_slli_epi16(index, 3));
    if constexpr (kPieces == 4) return Choose4(0, index, _mm256_slli_epi16(index, 3), _mm256_slli_epi16(index, 2));
    if constexpr (kPieces == 8) {
      const __m256i bit3 = _mm256_slli_epi16(index, 3), bit4 = _mm256_slli_epi16(index, 2);
      const __m256i low = _mm256_and_si256(index, _mm256_set1_epi8(15));  // a set bit 7 would give 0
      return _mm256_blendv_epi8(Choose4(0, low, bit3, bit4), Choose4(4, low, bit3, bit4),
                                _mm256_slli_epi16(index, 1));
    }
  }
  __m256i Choose(int i, __m256i index, __m256i bit3) const {
    return _mm256_blendv_epi8(_mm256_shuffle_epi8(piece[i], index), _mm256_shuffle_epi8(piece[i + 1], index), bit3);
  }
  __m256i Choose4(int i, __m256i index, __m256i bit3, __m256i bit4) const {
    return _mm256_blendv_epi8(Choose(i, index, bit3), Choose(i + 2, index, bit3), bit4);
  }
  __m256i piece[kPieces];
};

// A section as it is looked up by entry + 2^kDepth.
template <int kDepth>
struct Section : Pieces<kDepth <= 3 ? 1 : 1 << (kDepth - 3)> {
  // Depths 3 and 4 fill the second half of the words before their own: words 8 and 16 on.
  explicit Section(const uint16_t* words)
      : Pieces < kDepth <= 3
      ? 1
      : 1 << (kDepth - 3) > (words + (kDepth == 3   ? 8
                                      : kDepth == 4 ? 16
                                                    : 0)) {}
};

template <int kDepth>
struct DecodeTables {
  explicit DecodeTables(const DecodeJob& job)
      : root(_mm256_set1_epi16(static_cast<short>(job.table->section(kTreeSection)[1]))),
        top(job.table->section(kTreeSection)),
        level3(job.table->section(kTreeSection) + 8),
        level4(job.table->section(kTreeSection) + 16),
        level5(job.table->section(kTreeSection) + (kDepth == 6 ? 32 : 0)),
        freq(job.table->section(kFreqSection)),
        cum(job.table->section(kCumSection)),
        slot_mask(_mm256_set1_epi32((1 << job.precision) - 1)),
        last_slot(_mm256_set1_epi16(static_cast<short>((1 << job.precision) - 1))),
        escape(ByteIndex(job.table->has_escape ? job.table->num_values + (1 << kDepth) : 0)),
        bias(_mm256_set1_epi16(static_cast<short>(job.min_symbol - (1 << kDepth)))),
        precision(_mm_cvtsi32_si128(job.precision)) {}

  __m256i root;
  Pieces<1> top, level3;
  Pieces<2> level4;
  Pieces<4> level5;
  Section<kDepth> freq, cum;
  __m256i slot_mask, last_slot, escape, bias;
  __m128i precision;
};

// What a step needs of a slot: the byte index of its entry + 2^depth, the entry's frequency and the slot's offset
// in it.
struct Found {
  __m256i index, freq, offset;
};

// For kGroups groups in lockstep: one alone waits most of the time. Deep trees need too many registers for lookups
// of frequencies; their search keeps the bounds it has passed on either side instead, which say the same.
template <int kGroups, int kDepth>
inline void Find(const DecodeTables<kDepth>& tables, const __m256i (&slot)[kGroups], Found (&found)[kGroups]) {
  constexpr bool kKeepBounds = kDepth >= 5;
  __m256i below[kGroups], above[kGroups];
  const auto step = [&](int g, __m256i twice, __m256i bound) {
    const __m256i right = _mm256_cmpgt_epi16(slot[g], bound);
    found[g].index = _mm256_add_epi16(twice, _mm256_and_si256(right, _mm256_set1_epi16(kPerIndex)));
    if constexpr (kKeepBounds) {
      below[g] = _mm256_blendv_epi8(below[g], bound, right);
      above[g] = _mm256_blendv_epi8(bound, above[g], right);
    }
  };
  for (int g = 0; g < kGroups; ++g) {
    below[g] = _mm256_set1_epi16(-1);
    above[g] = tables.last_slot;
    step(g, ByteIndex(2), tables.root);
  }
  const auto descend = [&](const auto& pieces) {
    for (int g = 0; g < kGroups; ++g) {
      const __m256i index = found[g].index;
      // From n to 2n or 2n + 1.
      step(g, _mm256_sub_epi16(_mm256_add_epi16(index, index), _mm256_set1_epi16(kHighByte)), pieces.At(index));
    }
  };
  if constexpr (kDepth > 1) descend(tables.top);
  if constexpr (kDepth > 2) descend(tables.top);
  if constexpr (kDepth > 3) descend(tables.level3);
  if constexpr (kDepth > 4) descend(tables.level4);
  if constexpr (kDepth > 5) descend(tables.level5);
  for (int g = 0; g < kGroups; ++g) {
    if constexpr (kKeepBounds) {
      // Bounds are the last slots of entries; a leaf without an entry has a bound above all slots.
      found[g].freq = _mm256_sub_epi16(_mm256_min_epi16(above[g], tables.last_slot), below[g]);
      found[g].offset = _mm256_sub_epi16(_mm256_sub_epi16(slot[g], below[g]), _mm256_set1_epi16(1));
    } else {
      found[g].freq = tables.freq.At(found[g].index);
      found[g].offset = _mm256_sub_epi16(slot[g], tables.cum.At(found[g].index));
    }
  }
}

inline __m256i Refill(__m256i s, const uint8_t*& next) {
  const __m256i low = _mm256_cmpeq_epi32(_mm256_srli_epi32(s, 16), _mm256_setzero_si256());
  const auto bits = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(low)));
  const __m256i unread = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(next)));
  const __m256i words = _mm256_permutevar8x32_epi32(unread, LaneOrder(kLaneOrders.expand[bits]));
  next += kWordBytes * static_cast<unsigned>(_mm_popcnt_u32(bits));
  return _mm256_blendv_epi8(s, _mm256_or_si256(_mm256_slli_epi32(s, 16), words), low);
}

// Decodes kGroups groups; false, and nothing done, when one holds an escape.
template <int kGroups, int kDepth>
inline bool DecodeGroups(const DecodeTables<kDepth>& tables, uint32_t* states, const uint8_t*& next,
                         uint16_t* symbols) {
  Pair s[kGroups];
  __m256i slot[kGroups];
  Found found[kGroups];
  for (int g = 0; g < kGroups; ++g) {
    s[g] = Load(states + kGroup * g);
    slot[g] = _mm256_packus_epi32(_mm256_and_si256(s[g].first, tables.slot_mask),
                                  _mm256_and_si256(s[g].last, tables.slot_mask));
  }
  Find<kGroups>(tables, slot, found);
  __m256i escapes = _mm256_cmpeq_epi16(found[0].index, tables.escape);
  for (int g = 1; g < kGroups; ++g) {
    escapes = _mm256_or_si256(escapes, _mm256_cmpeq_epi16(found[g].index, tables.escape));
  }
  if (_mm256_movemask_epi8(escapes) != 0) return false;

  for (int g = 0; g < kGroups; ++g) {
    const Pair freq = Widen(found[g].freq), offset = Widen(found[g].offset);
    const auto undo = [&](__m256i state, __m256i f, __m256i o) {
      return _mm256_add_epi32(_mm256_mullo_epi32(f, _mm256_srl_epi32(state, tables.precision)), o);
    };
    s[g] = {undo(s[g].first, freq.first, offset.first), undo(s[g].last, freq.last, offset.last)};
  }
  for (int g = 0; g < kGroups; ++g) {
    s[g].first = Refill(s[g].first, next);
    s[g].last = Refill(s[g].last, next);
    Store(s[g], states + kGroup * g);
    const __m256i node = _mm256_srli_epi16(_mm256_and_si256(found[g].index, _mm256_set1_epi16(0xff)), 1);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(symbols + kGroup * g),
                        Reorder(_mm256_add_epi16(node, tables.bias)));
  }
  return true;
}

template <int kDepth>
size_t DecodeStretch(DecodeJob& job) {
  const DecodeTables<kDepth> tables(job);
  const uint8_t* next = job.next;
  size_t lane = job.lane;
  size_t done = 0;
  // kGroups groups; false, and nothing done, where symbols, words or the round end, and before an escape.
  const auto decode = [&]<int kGroups>() {
    constexpr size_t kSymbols = kGroups * kGroup;
    if (job.count - done < kSymbols || lane % kSymbols != 0) return false;
    if (static_cast<size_t>(job.end - next) < kSymbols * kWordBytes) return false;
    if (!DecodeGroups<kGroups>(tables, job.states + lane, next, job.symbols + done)) return false;
    done += kSymbols;
    lane = lane + kSymbols == job.lanes ? 0 : lane + kSymbols;
    return true;
  };
  do {
    while (decode.template operator()<2>()) {
    }
  } while (decode.template operator()<1>());
  job.next = next;
  return done;
}

size_t Decode(DecodeJob& job) {
  return ForDepth<kMaxDepth>(job.table->depth, [&]<int kDepth>() { return DecodeStretch<kDepth>(job); });
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
        total(_mm256_set1_epi32(1 << job.precision)),
        spare(_mm_cvtsi32_si128(32 - job.precision)) {}

  Section<kDepth> freq, cum, low, high, shift;
  __m256i min_symbol, num_values, total;
  __m128i spare;
};

struct Lookups {
  __m256i freq, cum, multiplier, shift;
};

// One step of 8 lanes. Pushes the words of the highest lanes first.
inline __m256i Step(__m256i s, const Lookups& found, __m256i total, __m128i spare, uint16_t*& words) {
  const __m256i small = _mm256_cmpgt_epi32(found.freq, _mm256_srl_epi32(s, spare));
  const auto full = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(small))) ^ 0xffu;
  const __m256i pushed = _mm256_and_si256(_mm256_permutevar8x32_epi32(s, LaneOrder(kLaneOrders.compress[full])),
                                          _mm256_set1_epi32(0xffff));
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(pushed, pushed), 0x08);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words), _mm256_castsi256_si128(packed));
  words += static_cast<unsigned>(_mm_popcnt_u32(full));
  s = _mm256_blendv_epi8(_mm256_srli_epi32(s, 16), s, small);

  const __m256i increment = _mm256_srli_epi32(found.shift, 15);
  const __m256i dividend = _mm256_add_epi32(s, increment);
  const __m256i even = _mm256_srli_epi64(_mm256_mul_epu32(dividend, found.multiplier), 32);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(dividend, 32), _mm256_srli_epi64(found.multiplier, 32));
  const __m256i shift = _mm256_and_si256(found.shift, _mm256_set1_epi32(31));
  const __m256i quotient = _mm256_srlv_epi32(_mm256_blend_epi32(even, odd, 0xaa), shift);
  // quotient * 2^p + (s - quotient * freq) + cum
  return _mm256_add_epi32(_mm256_add_epi32(s, found.cum),
                          _mm256_mullo_epi32(quotient, _mm256_sub_epi32(total, found.freq)));
}

template <int kDepth>
size_t EncodeStretch(EncodeJob& job) {
  const EncodeTables<kDepth> tables(job);
  const uint16_t* symbols = job.symbols + job.count;
  uint16_t* words = job.words;
  size_t lane = job.lane;
  size_t left = job.count;
  for (; left > 0; left -= kGroup) {
    symbols -= kGroup;
    const __m256i entry =
        _mm256_sub_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(symbols)), tables.min_symbol);
    const __m256i outside = _mm256_cmpeq_epi16(_mm256_max_epu16(entry, tables.num_values), entry);
    if (_mm256_movemask_epi8(outside) != 0) break;
    const __m256i index =
        _mm256_add_epi16(_mm256_mullo_epi16(Reorder(entry), _mm256_set1_epi16(kPerIndex)), ByteIndex(1 << kDepth));
    const Pair freq = Widen(tables.freq.At(index)), cum = Widen(tables.cum.At(index));
    const Pair shift = Widen(tables.shift.At(index));
    const __m256i low = tables.low.At(index), high = tables.high.At(index);
    lane -= kGroup;
    Pair states = Load(job.states + lane);
    states.last = Step(states.last, {freq.last, cum.last, _mm256_unpackhi_epi16(low, high), shift.last},
                       tables.total, tables.spare, words);
    states.first = Step(states.first, {freq.first, cum.first, _mm256_unpacklo_epi16(low, high), shift.first},
                        tables.total, tables.spare, words);
    Store(states, job.states + lane);
    if (lane == 0) lane = job.lanes;
  }
  job.words = words;
  return job.count - left;
}

size_t Encode(EncodeJob& job) {
  return ForDepth<kMaxDepth>(job.table->depth, [&]<int kDepth>() { return EncodeStretch<kDepth>(job); });
}

void Reverse(const uint16_t* words, size_t count, uint8_t* dst) {
  const __m128i backwards = _mm_set_epi8(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  size_t i = count;
  for (; i >= 8; i -= 8, dst += 16) {
    const __m128i eight = _mm_loadu_si128(reinterpret_cast<const __m128i*>(words + i - 8));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(dst), _mm_shuffle_epi8(eight, backwards));
  }
  ReverseWords(words, i, dst);
}

}  // namespace

extern const Kernels kAvx2Kernels;
const Kernels kAvx2Kernels = {kMaxDepth, Decode, nullptr, Encode, Reverse};

}  // namespace strait::rans
