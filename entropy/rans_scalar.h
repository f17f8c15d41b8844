// Decoding without SIMD: one symbol after the other by one lane after the other. The reference that kernels agree
// with, and what they leave to it.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include "entropy/cdf_table.h"
#include "entropy/error.h"
#include "entropy/escape.h"
#include "entropy/rans_kernels.h"
#include "entropy/rans_lanes.h"
#include "entropy/table_walk.h"

namespace strait::rans {

// The unread words of a payload: bytes [next, end), an even number, then those of [later, later_end) while what
// retired lanes put is read before the rest.
struct UnreadWords {
  const uint8_t* next = nullptr;
  const uint8_t* end = nullptr;
  const uint8_t* later = nullptr;  // null unless [next, end) are retired words
  const uint8_t* later_end = nullptr;

  bool empty() {
    if (next != end) [[likely]]
      return false;
    if (later == nullptr) return true;
    next = later;
    end = later_end;
    later = later_end = nullptr;
    return next == end;
  }
  uint16_t Pop() {
    const auto word = static_cast<uint16_t>(next[0] | next[1] << 8);
    next += 2;
    return word;
  }
  size_t bytes() const { return static_cast<size_t>(end - next) + static_cast<size_t>(later_end - later); }
};

// Where retiring lanes put their words: in front of the unread ones.
class RetiredWords {
 public:
  explicit RetiredWords(UnreadWords& unread) : unread_(unread) {}

  void Push(uint16_t word) {
    if (unread_.later == nullptr) StartReadingHere();
    uint8_t* const next = bytes_ + (unread_.next - bytes_) - 2;
    next[0] = static_cast<uint8_t>(word);
    next[1] = static_cast<uint8_t>(word >> 8);
    unread_.next = next;
  }

 private:
  void StartReadingHere() {
    unread_.later = unread_.next;
    unread_.later_end = unread_.end;
    unread_.next = unread_.end = bytes_ + kBytes;
  }

  // A lane puts three times, at most one word each.
  static constexpr size_t kBytes = 2 * 3 * (kMaxLanes - 1);
  uint8_t bytes_[kBytes];
  UnreadWords& unread_;
};

struct Escaped {
  int64_t symbol;
  uint32_t state;
  UnreadWords words;
};

// By value, so that the common path keeps its state and words in registers.
[[gnu::noinline]] inline Escaped TakeEscaped(const CdfTableSet::TableView& table, uint32_t state, UnreadWords words,
                                             int symbol_bits) {
  const Escape escape =
      GetEscape(MaxEscapeExponent(symbol_bits), [&](int bits) { return TakeBits(bits, state, words); });
  const int32_t max_symbol = table.max_symbol();
  return {EscapedSymbol(escape, table.min_symbol, max_symbol), state, words};
}

[[gnu::noinline]] inline Status EscapeError(size_t symbol_bits) {
  return Error(StatusCode::kCorrupt, "rans: a symbol escapes to a value outside int", symbol_bits);
}

// What decoding a stretch of symbols changes, and what it knows of the payload.
struct Stream {
  LaneStates states = {};
  UnreadWords words;
  bool is_sparse = false;  // has few bits a symbol: most are the most probable ones of their tables
};
inline constexpr size_t kSparseSymbolsPerByte = 16;

// The reference: undoes the step of one symbol by one lane, whose slot holds the entry that was found. False when
// an escape leads outside the type. Takes one step (plus at most 63 for an escape) whatever the bytes are, and
// reads no byte past the words.
template <typename Symbol>
[[gnu::always_inline]] inline bool UndoSymbol(const CdfTableSet::TableView& table, uint32_t value, bool is_escape,
                                              uint32_t unrefilled, uint32_t& state, UnreadWords& words,
                                              Symbol& symbol) {
  Refill(unrefilled, words);
  symbol = static_cast<Symbol>(value);  // of an escape it may be past the type
  if (is_escape) [[unlikely]] {
    const Escaped escaped = TakeEscaped(table, unrefilled, words, 8 * sizeof(Symbol));
    symbol = static_cast<Symbol>(escaped.symbol);
    unrefilled = escaped.state;
    words = escaped.words;
    if (symbol != escaped.symbol) return false;
  }
  state = unrefilled;
  return true;
}

template <typename Symbol>
[[gnu::always_inline]] inline bool DecodeSymbol(const CdfTableSet::TableView& table, int precision, uint32_t& state,
                                                UnreadWords& words, Symbol& symbol) {
  const uint32_t slot = state & ((uint32_t{1} << precision) - 1);
  const uint32_t entry = table.EntryOf(slot);
  const uint32_t first = table.cum[entry], freq = table.cum[entry + 1] - first;
  return UndoSymbol(table, static_cast<uint32_t>(table.min_symbol) + entry, entry == table.num_values,
                    freq * (state >> precision) + slot - first, state, words, symbol);
}

// The same for symbols of which each may have another table. With `top_first` after a look at the most probable
// entry, so that no symbol waits for a lookup while that branch is foreseen.
template <typename Symbol>
[[gnu::always_inline]] inline bool DecodeSymbol(const GatherTables& gather, size_t index,
                                                const CdfTableSet::TableView& table, bool top_first, int precision,
                                                uint32_t& state, UnreadWords& words, Symbol& symbol) {
  const uint32_t slot = state & ((uint32_t{1} << precision) - 1);
  if (top_first && slot - table.top_first < table.top_freq) {
    return UndoSymbol(table, static_cast<uint32_t>(table.min_symbol) + table.top_entry,
                      table.top_entry == table.num_values,
                      table.top_freq * (state >> precision) + slot - table.top_first, state, words, symbol);
  }
  const GatherTables::Found found = gather.Find(index, slot);
  return UndoSymbol(table, static_cast<uint32_t>(gather.min_symbol) + found.entry, found.is_escape,
                    found.freq * (state >> precision) + slot - found.first, state, words, symbol);
}

// Symbols [begin, end) to `dst`, symbol i by lane i mod lanes. Before a stretch that is worth a kernel it may stop
// early, and says where.
template <bool kOneLane, typename Symbol, typename Walk>
Status DecodeScalar(Symbol* dst, size_t begin, size_t end, Walk& walk, const CdfTableSet& tables, size_t lanes,
                    Stream& stream, size_t& stopped) {
  const int precision = tables.precision();
  UnreadWords words = stream.words;
  uint32_t lone_state = stream.states[0];
  size_t i = begin;
  while (i < end) {
    const Stretch stretch = walk.Peek(end - i);
    if (stretch.count >= kGroup && i > begin) break;
    if (!HasTable(stretch, tables)) [[unlikely]]
      return NoTableError(stretch, tables);
    walk.Skip(stretch.count);
    const CdfTableSet::TableView& table = tables.View(stretch.table);
    for (const size_t stop = i + stretch.count; i < stop; ++i) {
      uint32_t& state = kOneLane ? lone_state : stream.states[i & (lanes - 1)];
      if (!DecodeSymbol(table, precision, state, words, *dst++)) return EscapeError(8 * sizeof(Symbol));
    }
  }
  if (kOneLane) stream.states[0] = lone_state;
  stream.words = words;
  stopped = i;
  return {};
}

template <typename Walk>
concept ChangesTables = std::same_as<Walk, IndexWalk<Direction::kForwards>> || std::same_as<Walk, CellWalk>;

// The same where every symbol may have another table, without looking for stretches but where a kernel could begin
// one.
template <bool kOneLane, typename Symbol, ChangesTables Walk>
Status DecodeScalar(Symbol* dst, size_t begin, size_t end, Walk& walk, const CdfTableSet& tables, size_t lanes,
                    Stream& stream, size_t& stopped) {
  const int precision = tables.precision();
  const GatherTables& gather = tables.gather();
  const bool top_first = kOneLane && stream.is_sparse;  // other lanes fill the time
  UnreadWords words = stream.words;
  uint32_t lone_state = stream.states[0];
  size_t i = begin;
  for (; i < end; ++i) {
    if (!kOneLane && i % kGroup == 0 && i > begin && end - i >= kGroup && walk.Shares(kGroup)) break;
    const size_t index = walk.PeekTable();
    if (!HasTable({index, 1}, tables)) [[unlikely]]
      return NoTableError({index, 1}, tables);
    walk.Skip(1);
    uint32_t& state = kOneLane ? lone_state : stream.states[i & (lanes - 1)];
    const CdfTableSet::TableView& table = tables.View(index);
    if (!(gather.image != nullptr ? DecodeSymbol(gather, index, table, top_first, precision, state, words, *dst++)
                                  : DecodeSymbol(table, precision, state, words, *dst++))) {
      return EscapeError(8 * sizeof(Symbol));
    }
  }
  if (kOneLane) stream.states[0] = lone_state;
  stream.words = words;
  stopped = i;
  return {};
}

}  // namespace strait::rans
