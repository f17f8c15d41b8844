#include <algorithm>
#include <array>
#include <limits>

#include "entropy/error.h"
#include "entropy/escape.h"
#include "entropy/rans.h"
#include "entropy/rans_internal.h"

namespace strait {
namespace rans {
namespace {

// The unread 16-bit words of a payload.
struct Words {
  const uint8_t* next;
  const uint8_t* end;  // an even number of bytes after next

  void Refill(uint32_t& state) {
    if (state >= kLowState || next == end) return;
    state = state << kWordBits | static_cast<uint32_t>(next[0] | next[1] << 8);
    next += 2;
  }
};

struct Escaped {
  int32_t symbol;
  uint32_t state;
  Words words;
};

// By value, so that the common path keeps its state and words in registers.
[[gnu::noinline]] Escaped TakeEscaped(const CdfTableSet::TableView& table, uint32_t state, Words words) {
  const Escape escape = GetEscape([&](int bits) {
    const uint32_t value = state & ((uint32_t{1} << bits) - 1);
    state >>= bits;
    words.Refill(state);
    return value;
  });
  const int32_t max_symbol = table.min_symbol + static_cast<int32_t>(table.num_values) - 1;
  return {EscapedSymbol(escape, table.min_symbol, max_symbol), state, words};
}

bool FitsInt16(int32_t symbol) {
  return symbol >= std::numeric_limits<int16_t>::min() && symbol <= std::numeric_limits<int16_t>::max();
}

Status EscapeError(size_t i, int32_t symbol) {
  return Error(StatusCode::kCorrupt, "rans: symbol ", i, " escapes to ", symbol, ", outside int16");
}

// Reads no byte past words.end and takes one step a symbol (plus at most 31 an escape) whatever the bytes are.
template <int kLanes>
Status DecodeSymbols(const SymbolLayout& layout, const CdfTableSet& tables, std::array<uint32_t, kLanes>& states,
                     Words& unread, std::span<int16_t> symbols) {
  const int precision = tables.precision();
  const uint32_t slot_mask = (uint32_t{1} << precision) - 1;
  Words words = unread;
  size_t i = 0;
  for (size_t channel = 0; i < symbols.size(); channel = channel + 1 == layout.channels ? 0 : channel + 1) {
    const CdfTableSet::TableView table = tables.View(layout.first_table + channel);
    const size_t end = i + std::min(layout.inner, symbols.size() - i);
    for (; i < end; ++i) {
      uint32_t state = states[i % kLanes];
      const uint32_t slot = state & slot_mask;
      const uint32_t entry = table.EntryOf(slot);
      const uint32_t begin = table.cum[entry];
      state = (table.cum[entry + 1] - begin) * (state >> precision) + slot - begin;
      words.Refill(state);
      int32_t symbol = table.min_symbol + static_cast<int32_t>(entry);
      if (entry == table.num_values) [[unlikely]] {
        const Escaped escaped = TakeEscaped(table, state, words);
        if (!FitsInt16(escaped.symbol)) return EscapeError(i, escaped.symbol);
        symbol = escaped.symbol;
        state = escaped.state;
        words = escaped.words;
      }
      symbols[i] = static_cast<int16_t>(symbol);
      states[i % kLanes] = state;
    }
  }
  unread = words;
  return {};
}

// Little endian; the top byte of the fewest is never zero. No step makes a state smaller than its lane's start.
Result<uint32_t> ReadState(std::span<const uint8_t> bytes, uint32_t start) {
  uint32_t state = 0;
  for (size_t i = 0; i < bytes.size(); ++i) state |= uint32_t{bytes[i]} << (8 * i);
  if (bytes.back() == 0) {
    return Error(StatusCode::kCorrupt, "rans: state of ", bytes.size(), " bytes ends in a zero byte");
  }
  if (state < start) return Error(StatusCode::kCorrupt, "rans: state ", state, " is below ", start);
  return state;
}

Status RedundantStatesError(size_t payload_bytes) {
  return Error(StatusCode::kCorrupt, "rans: ", payload_bytes, " bytes of start states, want an empty payload");
}

// A payload of up to 4 bytes is all state; a longer one has words, hence a state of 3 or 4 bytes, and its
// parity tells which.
Result<Words> ReadStates(std::span<const uint8_t> payload, std::array<uint32_t, 1>& states) {
  const uint8_t* const end = payload.data() + payload.size();
  states[0] = kOneLaneStart;
  if (payload.empty()) return Words{end, end};

  const size_t state_bytes = payload.size() <= 4 ? payload.size() : 4 - payload.size() % 2;
  STRAIT_ASSIGN_OR_RETURN(states[0], ReadState(payload.first(state_bytes), kOneLaneStart));
  if (states[0] == kOneLaneStart) return RedundantStatesError(payload.size());
  return Words{payload.data() + state_bytes, end};
}

template <size_t kLanes>
Result<Words> ReadStates(std::span<const uint8_t> payload, std::array<uint32_t, kLanes>& states) {
  const uint8_t* const end = payload.data() + payload.size();
  states.fill(kStartState<static_cast<int>(kLanes)>);
  if (payload.empty()) return Words{end, end};

  constexpr size_t kHeaderBytes = (kLanes + 7) / 8;
  size_t position = kHeaderBytes;
  bool all_at_start = true;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    const size_t state_bytes = payload.size() < kHeaderBytes ? 3 : 3 + (payload[lane / 8] >> (lane % 8) & 1);
    if (payload.size() < position || payload.size() - position < state_bytes) {
      return Error(StatusCode::kTruncated, "rans: need ", position + state_bytes,
                   " bytes for the states of lanes 0 to ", lane, ", have ", payload.size());
    }
    STRAIT_ASSIGN_OR_RETURN(states[lane], ReadState(payload.subspan(position, state_bytes), kLowState));
    all_at_start = all_at_start && states[lane] == kLowState;
    position += state_bytes;
  }
  const size_t word_bytes = payload.size() - position;
  if (word_bytes % 2 != 0) {
    return Error(StatusCode::kTruncated, "rans: ", word_bytes, " bytes of words, want an even number");
  }
  if (word_bytes == 0 && all_at_start) return RedundantStatesError(payload.size());
  return Words{payload.data() + position, end};
}

template <int kLanes>
Status Decode(std::span<const uint8_t> payload, const SymbolLayout& layout, const CdfTableSet& tables,
              std::span<int16_t> symbols) {
  std::array<uint32_t, kLanes> states;
  STRAIT_ASSIGN_OR_RETURN(Words words, ReadStates(payload, states));
  STRAIT_RETURN_IF_ERROR(DecodeSymbols<kLanes>(layout, tables, states, words, symbols));
  if (words.next != words.end) {
    return Error(StatusCode::kCorrupt, "rans: ", words.end - words.next, " bytes left over after ", symbols.size(),
                 " symbols");
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    if (states[lane] == kStartState<kLanes>) continue;
    if (states[lane] < kStartState<kLanes>) {
      return Error(StatusCode::kTruncated, "rans: payload of ", payload.size(), " bytes ends before lane ", lane,
                   " of ", kLanes, " is done");
    }
    return Error(StatusCode::kCorrupt, "rans: lane ", lane, " of ", kLanes, " ends in state ", states[lane],
                 ", want ", kStartState<kLanes>);
  }
  return {};
}

}  // namespace
}  // namespace rans

Status RansDecode(std::span<const uint8_t> payload, const SymbolLayout& layout, const CdfTableSet& tables,
                  std::span<int16_t> symbols) {
  STRAIT_RETURN_IF_ERROR(rans::CheckLayout(layout, tables));
  if (symbols.size() < kManyLanesThreshold) return rans::Decode<1>(payload, layout, tables, symbols);
  return rans::Decode<kManyLanes>(payload, layout, tables, symbols);
}

}  // namespace strait
