// Contexts: which CDF table codes a symbol, by its neighbours in the same channel that are coded before it
// (docs/format.md, context). Symbols are coded position by position, row by row, all channels of a position
// together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace strait {

// Tokens are one row.
enum Neighbour { kLeft, kUp, kUpLeft, kUpRight, kNumNeighbours };
using ContextWeights = std::array<int, kNumNeighbours>;
inline constexpr int kMaxNeighbour = 15;      // symbols count as at most this much
inline constexpr int kMaxContextWeight = 15;  // of either sign
// The weighted neighbours make a cell: kContextSide times the sum of the terms above zero, plus minus the sum of
// those below, either at most kContextSide - 1.
inline constexpr int kContextSide = 16;
inline constexpr int kContextCells = kContextSide * kContextSide;
// The slope across a position weighs most. Fitted to latents of photographs.
inline constexpr ContextWeights kContextWeights = {4, 3, -1, 1};

// Channels are looked at in blocks, so that loops over them become vectors of whole registers.
inline constexpr size_t kContextBlock = 16;
inline constexpr size_t InContextBlocks(size_t channels) {
  return (channels + kContextBlock - 1) / kContextBlock * kContextBlock;
}

// The symbols around a position that contexts look at, clamped: those of its row, where the position's own go, and
// those of the row above. Neighbouring positions are InContextBlocks(channels) apart; left of the first and right
// of the last of a row are zeros.
struct ContextNear {
  int16_t* row;
  const int16_t* above;

  void Move(size_t positions, size_t channels) {
    row += positions * InContextBlocks(channels);
    above += positions * InContextBlocks(channels);
  }
  // Leaves a position's symbols for those that come after it.
  void Leave(std::span<const int16_t> symbols) const;
};

// Cells of the symbols at a position, and rubbish up to the end of the last block.
void ContextCellsAt(const ContextNear& near, size_t channels, const ContextWeights& weights, uint16_t* cells);

// What chooses the tables of the coded channels.
struct ContextTables {
  ContextWeights weights = kContextWeights;
  size_t channels = 0;
  // {channels, kContextCells}: the table of a symbol by its cell, and kPadding more that may be read.
  std::span<const uint8_t> of_cells;
  static constexpr size_t kPadding = 3;
};

}  // namespace strait
