// Integer CDF tables: the probabilities of a frame's symbols, the same on every machine.
// A table covers the symbols [min_symbol, min_symbol + num_values) and, optionally, one escape entry that
// stands for everything outside. Frequencies are >= 1 and sum to exactly 1 << precision.
// Const methods are thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "entropy/gather_tables.h"
#include "entropy/kernel_table.h"
#include "strait/result.h"

namespace strait {

inline constexpr int kMinPrecision = 8;
inline constexpr int kMaxPrecision = 16;
inline constexpr int kMaxAlphabet = 4096;  // values of one table, the escape not counted

// One table as it is built and stored. freq has num_values entries, plus a last one when has_escape.
struct CdfTable {
  int32_t min_symbol = 0;
  bool has_escape = false;
  std::vector<uint32_t> freq;

  int num_values() const { return static_cast<int>(freq.size()) - (has_escape ? 1 : 0); }
  int32_t max_symbol() const { return min_symbol + (num_values() - 1); }
};

// Quantises probabilities to integers that sum to 1 << precision, each at least 1, minimising the expected
// code length sum(p * -log2(freq / 2^precision)) (greedy exchange from the rounded start).
// `weights` are non-negative, finite, not all zero, at most 2^precision many; they need not sum to 1.
// Errors: kInvalidArgument.
Result<std::vector<uint32_t>> QuantizeFrequencies(std::span<const double> weights, int precision);

// kCorrupt with the reason when the table breaks a rule above (sum, zero frequency, alphabet) or holds a symbol
// that a signed integer of symbol_bits (8, 16 or 32) does not.
Status ValidateTable(const CdfTable& table, int precision, int symbol_bits = 16);

// Tables ready for coding: validated once, flattened, indexed by [0, size()). Views stay valid when a set is moved.
class CdfTableSet {
 public:
  // What coding reads of a table, gathered for the inner loops.
  struct TableView {
    const uint32_t* cum;          // as cum()
    const float* cost_bits;       // of each entry, as CostBits before the bits of an escape
    const uint16_t* first_entry;  // entry at the start of each bucket of 1 << bucket_shift slots
    rans::KernelTable kernel;
    int32_t min_symbol;
    uint32_t num_values;
    int32_t bucket_shift;
    uint32_t top_entry;  // the most probable, the slot where it begins and how many it has
    uint32_t top_first;
    uint32_t top_freq;
    bool has_escape;  // the escape is entry num_values
    bool is_certain;  // has a single entry: its symbols take no bits

    int32_t max_symbol() const { return min_symbol + static_cast<int32_t>(num_values - 1); }

    // Buckets outnumber entries by 16 where the precision allows it, so that the loop rarely turns.
    uint32_t EntryOf(uint32_t slot) const {
      uint32_t entry = first_entry[slot >> bucket_shift];
      while (cum[entry + 1] <= slot) ++entry;
      return entry;
    }
  };

  // The tables of symbols that are signed integers of symbol_bits: 8, 16 or 32.
  static Result<CdfTableSet> Create(std::vector<CdfTable> tables, int precision, int symbol_bits = 16);

  CdfTableSet() = default;
  CdfTableSet(CdfTableSet&&) = default;
  CdfTableSet& operator=(CdfTableSet&&) = default;

  int precision() const { return precision_; }
  int symbol_bits() const { return symbol_bits_; }
  size_t size() const { return tables_.size(); }
  const CdfTable& table(size_t index) const { return tables_[index]; }
  const TableView& View(size_t index) const { return views_[index]; }
  // Lays all tables out for symbols that change tables, where that is possible: up to 3 KB a table.
  void AddGatherTables();
  // Without an image unless they were added.
  const rans::GatherTables& gather() const { return gather_; }

  // Where entry e of table t begins, of [0, 2^precision]; entries + 1 values.
  std::span<const uint32_t> cum(size_t index) const { return {views_[index].cum, tables_[index].freq.size() + 1}; }
  // Entry that holds a slot of [0, 2^precision).
  uint32_t EntryOf(size_t index, uint32_t slot) const { return views_[index].EntryOf(slot); }

  // Symbol nearest to `symbol` that table t can code: tables without escape clamp, others pass all of symbol_bits.
  int32_t Clamp(size_t index, int32_t symbol) const;

  // Cost of a symbol in bits, rounded to 1/1024, escape bits included (before rANS rounding);
  // infinite when the table has no escape and does not hold it.
  double CostBits(size_t index, int32_t symbol) const;

 private:
  // Appends what a table needs; its view points nowhere until all are there.
  void Append(const CdfTable& table);

  int precision_ = 0;
  int symbol_bits_ = 16;
  std::vector<CdfTable> tables_;
  std::vector<TableView> views_;
  std::vector<uint32_t> cum_;
  std::vector<float> cost_bits_;  // of each entry, one fewer a table than cum_
  std::vector<uint16_t> first_entry_;
  std::vector<uint16_t> kernel_images_;
  std::vector<uint64_t> gather_image_;
  rans::GatherTables gather_;
};

}  // namespace strait
