// Walks over the symbols of a payload in stretches that share a table, forwards for decoders and backwards for
// encoders.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "entropy/error.h"
#include "entropy/rans.h"

namespace strait::rans {

struct Stretch {
  size_t table;
  size_t count;  // of symbols
};

// Errors of a choice of tables: kInvalidArgument.
inline Status CheckTables(const SymbolLayout& layout, size_t, const CdfTableSet& tables) {
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

inline Status CheckTables(const TableIndices& indices, size_t symbols, const CdfTableSet& tables) {
  if (indices.index.size() != symbols) {
    return Error(StatusCode::kInvalidArgument, "rans: ", indices.index.size(), " table indices for ", symbols,
                 " symbols");
  }
  if (indices.first_table > tables.size()) {
    return Error(StatusCode::kInvalidArgument, "rans: first table ", indices.first_table, ", have ", tables.size());
  }
  return {};  // each index is checked where it is used
}

// kInvalidArgument unless the tables are for symbols of this type.
inline Status CheckSymbolBits(int symbol_bits, const CdfTableSet& tables) {
  if (symbol_bits == tables.symbol_bits()) return {};
  return Error(StatusCode::kInvalidArgument, "rans: symbols of ", symbol_bits, " bits, tables are for ",
               tables.symbol_bits());
}

// Every stretch is checked before its table is looked at: indices come from the caller.
inline bool HasTable(const Stretch& stretch, const CdfTableSet& tables) { return stretch.table < tables.size(); }
[[gnu::noinline]] inline Status NoTableError(const Stretch& stretch, const CdfTableSet& tables) {
  return Error(StatusCode::kInvalidArgument, "rans: symbols use table ", stretch.table, ", have ", tables.size());
}

// A walk over symbols [0, count), from the first on or from the last backwards: Peek(limit) is the stretch at most
// `limit` long that comes next, Skip(n) passes n symbols of it.
enum class Direction { kForwards, kBackwards };

template <Direction kDirection>
class ChannelWalk {
 public:
  ChannelWalk(const SymbolLayout& layout, size_t count) : layout_(layout) {
    if (kDirection == Direction::kForwards || count == 0) return;
    channel_ = (count - 1) / layout.inner % layout.channels;
    passed_ = layout.inner - 1 - (count - 1) % layout.inner;
  }

  Stretch Peek(size_t limit) const {
    return {layout_.first_table + channel_, std::min(limit, layout_.inner - passed_)};
  }
  void Skip(size_t count) {
    passed_ += count;
    if (passed_ < layout_.inner) return;
    passed_ = 0;
    if constexpr (kDirection == Direction::kForwards) {
      if (++channel_ == layout_.channels) channel_ = 0;
    } else {
      channel_ = (channel_ == 0 ? layout_.channels : channel_) - 1;
    }
  }

 private:
  SymbolLayout layout_;
  size_t channel_ = 0;
  size_t passed_ = 0;  // symbols of the channel's stretch
};

template <Direction kDirection>
class IndexWalk {
 public:
  IndexWalk(const TableIndices& indices, size_t count)
      : first_table_(indices.first_table),
        next_(indices.index.data() + (kDirection == Direction::kForwards ? 0 : count)) {}

  Stretch Peek(size_t limit) const {
    constexpr bool kForwards = kDirection == Direction::kForwards;
    const uint16_t index = kForwards ? next_[0] : next_[-1];
    const uint64_t four_indices = index * uint64_t{0x0001000100010001};
    size_t count = 0;
    for (; count + 8 <= limit; count += 8) {
      uint64_t eight[2];
      std::memcpy(eight, kForwards ? next_ + count : next_ - count - 8, sizeof(eight));
      if (((eight[0] ^ four_indices) | (eight[1] ^ four_indices)) != 0) break;
    }
    while (count < limit && (kForwards ? next_[count] : *(next_ - count - 1)) == index) ++count;
    return {first_table_ + index, count};
  }
  void Skip(size_t count) { next_ = kDirection == Direction::kForwards ? next_ + count : next_ - count; }

  // Forwards: the table of the next symbol alone, and whether `count` symbols at least share it.
  size_t PeekTable() const requires(kDirection == Direction::kForwards) { return first_table_ + next_[0]; }
  bool Shares(size_t count) const requires(kDirection == Direction::kForwards) {
    return std::equal(next_ + 1, next_ + count, next_);
  }

 private:
  size_t first_table_;
  const uint16_t* next_;
};

// Forwards over symbols of one position, whose tables their cells choose: cell i is of the channel whose cells'
// tables begin at tables[kContextCells * i].
class CellWalk {
 public:
  CellWalk(const uint16_t* cells, const uint8_t* tables) : cells_(cells), tables_(tables) {}

  size_t PeekTable() const { return tables_[*cells_]; }
  bool Shares(size_t) const { return false; }
  void Skip(size_t count) {
    cells_ += count;
    tables_ += count * kContextCells;
  }

 private:
  const uint16_t* cells_;
  const uint8_t* tables_;
};

// All symbols by one table.
struct OneTableWalk {
  size_t table;
  Stretch Peek(size_t limit) const { return {table, limit}; }
  void Skip(size_t) {}
};

}  // namespace strait::rans
