#include <algorithm>
#include <array>

#include "entropy/error.h"
#include "entropy/escape.h"
#include "entropy/rans.h"
#include "entropy/rans_internal.h"

namespace strait {
namespace rans {

Status CheckLayout(const SymbolLayout& layout, const CdfTableSet& tables) {
  if (layout.channels == 0 || layout.inner == 0) {
    return Error(StatusCode::kInvalidArgument, "rans: layout of ", layout.channels, " channels by ", layout.inner,
                 ", want at least 1 by 1");
  }
  if (layout.first_table > tables.size() || layout.channels > tables.size() - layout.first_table) {
    return Error(StatusCode::kInvalidArgument, "rans: layout needs tables ", layout.first_table, " to ",
                 layout.first_table + layout.channels, " (excluded), have ", tables.size());
  }
  return {};
}

namespace {

// Puts an entry of 2^bits slots into a state: the inverse of the decoder's step. Thresholds are 64 bits wide since
// freq << (32 - bits) is 2^32 for the table of a single entry, which then leaves every state as it was.
inline void Put(uint32_t begin, uint32_t freq, int bits, uint32_t& state, std::vector<uint16_t>& words) {
  if (state >= uint64_t{freq} << (32 - bits)) {
    words.push_back(static_cast<uint16_t>(state));
    state >>= kWordBits;
  }
  const uint32_t quotient = state / freq;
  state = static_cast<uint32_t>((uint64_t{quotient} << bits) + (state - quotient * freq) + begin);
}

Status PutEscaped(int32_t symbol, const CdfTableSet::TableView& table, uint32_t& state,
                  std::vector<uint16_t>& words) {
  const int32_t max_symbol = table.min_symbol + static_cast<int32_t>(table.num_values) - 1;
  if (!table.has_escape) {
    return Error(StatusCode::kInvalidArgument, "rans: symbol ", symbol, " is outside [", table.min_symbol, ", ",
                 max_symbol, "] and its table has no escape; clamp it first");
  }
  PutEscapeBackwards(MakeEscape(symbol, table.min_symbol, max_symbol),
                     [&](uint32_t value, int bits) { Put(value, 1, bits, state, words); });
  return {};
}

// Encodes from the last symbol to the first, so that the decoder runs forward; words come out in reverse.
template <int kLanes>
Status EncodeSymbols(std::span<const int16_t> symbols, const SymbolLayout& layout, const CdfTableSet& tables,
                     std::array<uint32_t, kLanes>& states, std::vector<uint16_t>& words) {
  const int precision = tables.precision();
  size_t end = symbols.size();
  for (size_t run = NumRuns(symbols.size(), layout); run-- > 0;) {
    const size_t begin = run * layout.inner;
    const CdfTableSet::TableView table = tables.View(layout.first_table + run % layout.channels);
    for (size_t i = end; i-- > begin;) {
      uint32_t state = states[i % kLanes];
      uint32_t entry = static_cast<uint32_t>(symbols[i] - table.min_symbol);
      if (entry >= table.num_values) [[unlikely]] {
        uint32_t escaped_state = state;  // a copy, so that the common path keeps its state in a register
        STRAIT_RETURN_IF_ERROR(PutEscaped(symbols[i], table, escaped_state, words));
        state = escaped_state;
        entry = table.num_values;
      }
      Put(table.cum[entry], table.cum[entry + 1] - table.cum[entry], precision, state, words);
      states[i % kLanes] = state;
    }
    end = begin;
  }
  return {};
}

// Header of one bit a lane, set where its state takes four bytes instead of three, then the states.
void AppendStates(std::span<const uint32_t> states, std::vector<uint8_t>& dst) {
  if (states.size() > 1) {
    const size_t header = dst.size();
    dst.resize(header + (states.size() + 7) / 8);
    for (size_t lane = 0; lane < states.size(); ++lane) {
      if (StateBytes(states[lane]) == 4) dst[header + lane / 8] |= static_cast<uint8_t>(1u << (lane % 8));
    }
  }
  for (const uint32_t state : states) {
    for (int byte = 0; byte < StateBytes(state); ++byte) dst.push_back(static_cast<uint8_t>(state >> (8 * byte)));
  }
}

template <int kLanes>
Status Encode(std::span<const int16_t> symbols, const SymbolLayout& layout, const CdfTableSet& tables,
              std::vector<uint8_t>& dst) {
  std::array<uint32_t, kLanes> states;
  states.fill(kStartState<kLanes>);
  std::vector<uint16_t> words;
  words.reserve(symbols.size() / 4 + 16);
  STRAIT_RETURN_IF_ERROR(EncodeSymbols<kLanes>(symbols, layout, tables, states, words));
  const auto at_start = [](uint32_t state) { return state == kStartState<kLanes>; };
  if (words.empty() && std::all_of(states.begin(), states.end(), at_start)) return {};  // nothing was said

  AppendStates(states, dst);
  size_t position = dst.size();
  dst.resize(position + 2 * words.size());
  for (size_t i = words.size(); i-- > 0; position += 2) {
    dst[position] = static_cast<uint8_t>(words[i]);
    dst[position + 1] = static_cast<uint8_t>(words[i] >> 8);
  }
  return {};
}

}  // namespace
}  // namespace rans

Status RansEncode(std::span<const int16_t> symbols, const SymbolLayout& layout, const CdfTableSet& tables,
                  std::vector<uint8_t>& dst) {
  STRAIT_RETURN_IF_ERROR(rans::CheckLayout(layout, tables));
  if (symbols.size() < kManyLanesThreshold) return rans::Encode<1>(symbols, layout, tables, dst);
  return rans::Encode<kManyLanes>(symbols, layout, tables, dst);
}

double RansCostBits(std::span<const int16_t> symbols, const SymbolLayout& layout, const CdfTableSet& tables) {
  double bits = 0;
  for (size_t run = 0, i = 0; i < symbols.size(); ++run) {
    const size_t table = layout.first_table + run % layout.channels;
    const size_t end = i + std::min(layout.inner, symbols.size() - i);
    for (; i < end; ++i) bits += tables.CostBits(table, symbols[i]);
  }
  return bits;
}

}  // namespace strait
