// What encoder and decoder of rANS payloads share: the steps of a lane, and how lanes are added and retired. The
// words of a payload are a stack: the encoder pushes what the decoder pops. docs/format.md, payload.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "entropy/escape.h"

namespace strait::rans {

inline constexpr uint32_t kLowState = uint32_t{1} << 16;  // states with words below them live in [kLowState, 2^32)
inline constexpr int kWordBits = 16;

// A payload's one lane starts from a small state instead of kLowState, which saves about two bytes: it emits no
// word before it has passed kLowState (the threshold freq << (32 - precision) is never below 2^16) and never falls
// below it afterwards (a step never makes the state smaller, and one after a word ends at or above kLowState). So a
// decoder that sees a state below kLowState refills exactly when words remain. 31, not 0: a decoder that has run
// out of words drifts to a state below the first frequency of its tables, often 1, so 0 would accept most truncated
// payloads. Over 400 payloads of 16 Laplacian channels, 29 bytes on average, start 0 accepted 64 % of all
// truncations and 15 % of all bit flips; 31 none and 0.3 %, for 0.01 byte a payload.
inline constexpr uint32_t kStartState = 31;

// A payload is coded in phases of more and more lanes, seen from its end: lanes are added when enough words are
// there to start them from. Shorter payloads stop earlier.
struct Rung {
  size_t lanes;
  size_t least_symbols;  // of a payload that may have such a phase
};
inline constexpr Rung kLadder[] = {{1, 0}, {4, 1024}, {32, 4096}, {128, 16384}};
inline constexpr size_t kRungs = std::size(kLadder);
inline constexpr size_t kMaxLanes = kLadder[kRungs - 1].lanes;
inline constexpr size_t kPhaseUnit = 32;  // symbols; phases but the last end at multiples of it
// A lane that is added or retired is a word and a field: its width over 17 bits, then the bits above the word,
// without the first, which is always one.
inline constexpr int kLaneWidthBits = 4;
inline constexpr int kMaxLaneWidth = 1 << kLaneWidthBits;
inline constexpr int kMaxLaneFieldBits = kLaneWidthBits + kMaxLaneWidth - 1;

// The highest rung that a payload of so many symbols may reach.
inline size_t TopRung(size_t symbols) {
  size_t rung = kRungs - 1;
  while (symbols < kLadder[rung].least_symbols) --rung;
  return rung;
}

// Symbols [end[rung + 1], end[rung]) are coded by kLadder[rung].lanes lanes; end[0] is the number of symbols.
struct Phases {
  std::array<size_t, kRungs + 1> end = {};
};

inline constexpr int kMaxNumberExponent = 31;  // so that phases have up to 2^32 - 1 units

using LaneStates = std::array<uint32_t, kMaxLanes>;

// Puts an entry of 2^bits slots into a state: the inverse of Take. Thresholds are 64 bits wide since
// freq << (32 - bits) is 2^32 for the table of a single entry, which then leaves every state as it was.
template <typename Words>
inline void Put(uint32_t begin, uint32_t freq, int bits, uint32_t& state, Words& words) {
  if (state >= uint64_t{freq} << (32 - bits)) {
    words.Push(static_cast<uint16_t>(state));
    state >>= kWordBits;
  }
  const uint32_t quotient = state / freq;
  state = static_cast<uint32_t>((uint64_t{quotient} << bits) + (state - quotient * freq) + begin);
}

template <typename Words>
inline void PutBits(uint32_t value, int bits, uint32_t& state, Words& words) {
  Put(value, 1, bits, state, words);
}

// Refills a state after its bits were taken. States stay small only when no words are left.
template <typename Words>
inline void Refill(uint32_t& state, Words& words) {
  if (state >= kLowState) return;
  if (words.empty()) return;
  state = state << kWordBits | words.Pop();
}

template <typename Words>
inline uint32_t TakeBits(int bits, uint32_t& state, Words& words) {
  const uint32_t value = state & ((uint32_t{1} << bits) - 1);
  state >>= bits;
  Refill(state, words);
  return value;
}

// A number of at least 0, in Exp-Golomb bits.
template <typename Words>
void PutNumber(size_t number, uint32_t& state, Words& words) {
  PutExpGolombBackwards(static_cast<uint32_t>(number + 1), kMaxNumberExponent,
                        [&](uint32_t value, int bits) { PutBits(value, bits, state, words); });
}
template <typename Words>
size_t TakeNumber(uint32_t& state, Words& words) {
  return GetExpGolomb(kMaxNumberExponent, [&](int bits) { return TakeBits(bits, state, words); }) - size_t{1};
}

// Adds lanes [from, to): new lane l gets its state from a word and from bits of lane l mod from, which are thereby
// that much shorter: adding a lane costs nothing. (States are distributed like 1 / s, so that their width is
// uniform.) False when that took the last word: the states are then not to be used.
template <typename Words>
bool AddLanes(size_t from, size_t to, LaneStates& states, Words& words) {
  for (size_t lane = from; lane < to; ++lane) {
    uint32_t& source = states[lane % from];
    if (words.empty()) return false;
    const uint32_t low = words.Pop();
    const int width = static_cast<int>(source % kMaxLaneWidth);
    uint32_t field = TakeBits(std::min(kLaneWidthBits + width, 16), source, words);
    const int more_bits = std::max(kLaneWidthBits + width - 16, 0);
    if (more_bits > 0) field |= TakeBits(more_bits, source, words) << 16;
    states[lane] = ((uint32_t{1} << width | field >> kLaneWidthBits) << 16) | low;
  }
  return !words.empty();
}

// The inverse: lanes [to, from) put their states, which must be at least kLowState, into the first `to`.
template <typename Words>
void RetireLanes(size_t from, size_t to, LaneStates& states, Words& words) {
  for (size_t lane = from; lane-- > to;) {
    uint32_t& target = states[lane % to];
    const uint32_t state = states[lane];
    const int width = std::bit_width(state) - 17;
    const uint32_t high = (state >> 16) - (uint32_t{1} << width);
    const uint32_t field = high << kLaneWidthBits | static_cast<uint32_t>(width);
    const int more_bits = std::max(kLaneWidthBits + width - 16, 0);
    if (more_bits > 0) PutBits(field >> 16, more_bits, target, words);
    PutBits(field & 0xffff, std::min(kLaneWidthBits + width, 16), target, words);
    words.Push(static_cast<uint16_t>(state));
  }
}

// Bytes of a state written with the fewest: 1 to 4.
inline int StateBytes(uint32_t state) { return (std::bit_width(state) + 7) / 8; }

}  // namespace strait::rans
