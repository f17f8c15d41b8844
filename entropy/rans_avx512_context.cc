// The kernel for symbols in context. Compiled as rans_avx512.cc, under the same rule: it must not instantiate
// inline functions of other headers.
#include <immintrin.h>

#include "entropy/rans_kernels.h"

namespace strait::rans {
namespace {

constexpr size_t kLanesPerVector = 16;
constexpr size_t kWordBytes = 2;

// The cells of up to 16 channels, as ContextCellsAt.
struct Cells {
  explicit Cells(const int* each) {
    for (int k = 0; k < kNumNeighbours; ++k) weights[k] = _mm256_set1_epi16(static_cast<short>(each[k]));
  }

  __m256i At(const int16_t* row, const int16_t* above_row, size_t pitch, __mmask16 active) const {
    const int16_t* const neighbours[] = {row - pitch, above_row, above_row - pitch, above_row + pitch};
    __m256i sum = _mm256_setzero_si256(), above = sum;
    for (int k = 0; k < kNumNeighbours; ++k) {
      const __m256i term = _mm256_mullo_epi16(weights[k], _mm256_maskz_loadu_epi16(active, neighbours[k]));
      sum = _mm256_add_epi16(sum, term);
      above = _mm256_add_epi16(above, _mm256_max_epi16(term, _mm256_setzero_si256()));
    }
    const __m256i most = _mm256_set1_epi16(kContextSide - 1);
    const __m256i high = _mm256_min_epi16(above, most);
    const __m256i low = _mm256_min_epi16(_mm256_sub_epi16(above, sum), most);
    return _mm256_add_epi16(_mm256_slli_epi16(high, 4), low);
  }

  __m256i weights[kNumNeighbours];
};
static_assert(kContextSide == 1 << 4);

}  // namespace

// Up to 16 channels of a position at a time, by any lanes: one lookup of each one's table, one of its bucket, and
// few more.
size_t DecodeContextAvx512(ContextDecodeJob& job) {
  const GatherTables& tables = *job.tables;
  const __m512i slot_mask = _mm512_set1_epi32((1 << job.precision) - 1);
  const __m512i stride = _mm512_set1_epi32(static_cast<int>(tables.stride));
  const __m512i low_bytes = _mm512_set1_epi32(0xff), low_words = _mm512_set1_epi32(0xffff);
  const __m512i first_slot = _mm512_set1_epi32(GatherTables::kFirstSlotMask);
  const __m512i escape_flag = _mm512_set1_epi32(GatherTables::kEscapeFlag);
  const __m512i next_escape_flag = _mm512_set1_epi32(static_cast<int>(GatherTables::kNextIsEscapeFlag));
  const __m512i one = _mm512_set1_epi32(1), full = _mm512_set1_epi32(1 << 16);
  const __m512i num_tables = _mm512_set1_epi32(static_cast<int>(tables.size));
  // Of 64-bit words in two vectors the low and the high halves, in order.
  const __m512i low_halves = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i high_halves = _mm512_or_si512(low_halves, one);
  // Where the cells of 16 symbols begin.
  const __m512i cell_tables =
      _mm512_slli_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), 8);
  const __m256i min_symbol = _mm256_set1_epi16(static_cast<short>(tables.min_symbol));
  const __m128i bucket_shift = _mm_cvtsi32_si128(tables.bucket_shift);
  const __m128i precision = _mm_cvtsi32_si128(job.precision);
  const auto* const buckets = reinterpret_cast<const long long*>(tables.image);
  const auto* const entries = reinterpret_cast<const int*>(tables.image + GatherTables::kBuckets);
  const Cells cells(job.weights);
  const __m256i most = _mm256_set1_epi16(kMaxNeighbour), least = _mm256_set1_epi16(-kMaxNeighbour);
  uint32_t* const all_states = job.states;
  int16_t* const symbols = job.symbols;
  const uint8_t* const tables_of_cells = job.of_cells;
  const uint8_t* const end = job.end;
  const size_t lanes = job.lanes, count = job.count, channels = job.channels;
  const size_t pitch = job.pitch;

  const uint8_t* next = job.next;
  int16_t* row = job.row;
  const int16_t* above = job.above;
  size_t lane = job.lane, done = 0, channel = job.channel;
  while (done < count) {
    size_t n = count - done;
    if (n > channels - channel) n = channels - channel;
    if (n > kLanesPerVector) n = kLanesPerVector;
    if (n > lanes - lane) n = lanes - lane;
    const auto active = static_cast<__mmask16>((1u << n) - 1);
    const __m512i states = _mm512_mask_loadu_epi32(full, active, all_states + lane);
    // Symbols that are not there have the first one's cell 0, and slot 0.
    const __m512i cell = _mm512_maskz_or_epi32(
        active, cell_tables, _mm512_cvtepu16_epi32(cells.At(row + channel, above + channel, pitch, active)));
    const __m512i table =
        _mm512_and_si512(_mm512_i32gather_epi32(cell, tables_of_cells + kContextCells * channel, 1), low_bytes);
    if (_mm512_cmpge_epu32_mask(table, num_tables) != 0) break;
    if (static_cast<size_t>(end - next) < kLanesPerVector * kWordBytes) break;

    const __m512i slot = _mm512_and_si512(states, slot_mask);
    const __m512i base = _mm512_madd_epi16(table, stride);  // both fit words
    const __m512i bucket = _mm512_add_epi32(base, _mm512_srl_epi32(slot, bucket_shift));
    const __m512i first_words = _mm512_i32gather_epi64(_mm512_castsi512_si256(bucket), buckets, 8);
    const __m512i last_words = _mm512_i32gather_epi64(_mm512_extracti64x4_epi64(bucket, 1), buckets, 8);
    const __m512i low = _mm512_permutex2var_epi32(first_words, low_halves, last_words);
    const __m512i ends = _mm512_permutex2var_epi32(first_words, high_halves, last_words);

    // The entry at the bucket's start or the next one.
    const __m512i entry_end = _mm512_and_si512(ends, low_words), next_end = _mm512_srli_epi32(ends, 16);
    const __mmask16 is_next = _mm512_cmpge_epu32_mask(slot, entry_end);
    __m512i entry = _mm512_and_si512(_mm512_srli_epi32(low, GatherTables::kEntryShift), low_bytes);
    entry = _mm512_mask_add_epi32(entry, is_next, entry, one);
    __m512i first = _mm512_mask_mov_epi32(_mm512_and_si512(low, first_slot), is_next, entry_end);
    __m512i freq = _mm512_sub_epi32(_mm512_mask_mov_epi32(entry_end, is_next, next_end), first);
    __mmask16 escapes = _mm512_test_epi32_mask(low, _mm512_mask_mov_epi32(escape_flag, is_next, next_escape_flag));
    // Or one after those.
    for (__mmask16 past; (past = _mm512_cmpge_epu32_mask(_mm512_sub_epi32(slot, first), freq)) != 0;) {
      entry = _mm512_mask_add_epi32(entry, past, entry, one);
      const __m512i index = _mm512_add_epi32(base, entry);
      const __m512i word = _mm512_mask_i32gather_epi32(one, past, index, entries, 8);
      first = _mm512_mask_and_epi32(first, past, word, first_slot);
      freq = _mm512_mask_srli_epi32(freq, past, word, GatherTables::kFreqShift);
      escapes = static_cast<__mmask16>(escapes | _mm512_mask_test_epi32_mask(past, word, escape_flag));
    }
    if ((escapes & active) != 0) break;

    __m512i s = _mm512_add_epi32(_mm512_mullo_epi32(freq, _mm512_srl_epi32(states, precision)),
                                 _mm512_sub_epi32(slot, first));
    const __mmask16 refilled = _mm512_mask_cmplt_epu32_mask(active, s, full);
    __m256i unread = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(next));
    asm("" : "+v"(unread));  // as in rans_avx512.cc
    const __m512i words = _mm512_cvtepu16_epi32(_mm256_maskz_expand_epi16(refilled, unread));
    next += kWordBytes * static_cast<unsigned>(_mm_popcnt_u32(refilled));
    s = _mm512_mask_or_epi32(s, refilled, _mm512_slli_epi32(s, 16), words);
    _mm512_mask_storeu_epi32(all_states + lane, active, s);
    const __m256i symbol = _mm256_add_epi16(_mm512_cvtepi32_epi16(entry), min_symbol);
    _mm256_mask_storeu_epi16(symbols + done, active, symbol);
    _mm256_mask_storeu_epi16(row + channel, active, _mm256_max_epi16(_mm256_min_epi16(symbol, most), least));
    done += n;
    lane = lane + n == lanes ? 0 : lane + n;
    channel += n;
    if (channel == channels) {
      channel = 0;
      row += pitch;
      above += pitch;
    }
  }
  job.next = next;
  job.row = row;
  job.above = above;
  job.channel = channel;
  return done;
}

}  // namespace strait::rans
