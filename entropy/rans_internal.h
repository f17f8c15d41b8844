// Constants and walks that the encoder and decoder of rANS payloads share; docs/format.md, payload.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "entropy/cdf_table.h"
#include "entropy/rans.h"

namespace strait::rans {

inline constexpr uint32_t kLowState = uint32_t{1} << 16;  // states of many lanes live in [kLowState, 2^32)
inline constexpr int kWordBits = 16;

// A single lane starts from a small state instead of kLowState, which saves about two bytes a payload: it emits no
// word before it has passed kLowState (the threshold freq << (32 - precision) is never below 2^16) and never falls
// below it afterwards (a step never makes the state smaller, and one after a word ends at or above kLowState). So a
// decoder that sees a state below kLowState refills exactly when words remain.
// 31, not 0: a decoder that has run out of words drifts to a state below the first frequency of its tables, often
// 1, so 0 would accept most truncated payloads. Over 400 payloads of 16 Laplacian channels, 29 bytes on average,
// start 0 accepted 64 % of all truncations and 15 % of all bit flips; 31 none and 0.3 %, for 0.01 byte a payload.
inline constexpr uint32_t kOneLaneStart = 31;

template <int kLanes>
inline constexpr uint32_t kStartState = kLanes == 1 ? kOneLaneStart : kLowState;

// Bytes of a state written with the fewest: 1 to 4 of a lone lane, 3 or 4 of many.
inline int StateBytes(uint32_t state) { return (std::bit_width(state) + 7) / 8; }

// Stretches of symbols that share a table.
inline size_t NumRuns(size_t symbols, const SymbolLayout& layout) {
  return symbols / layout.inner + (symbols % layout.inner != 0 ? 1 : 0);
}

// kInvalidArgument unless the layout names tables that exist.
Status CheckLayout(const SymbolLayout& layout, const CdfTableSet& tables);

}  // namespace strait::rans
