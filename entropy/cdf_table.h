// Integer CDF tables: the probabilities of a frame's symbols, the same on every machine.
// A table covers the symbols [min_symbol, min_symbol + num_values) and, optionally, one escape entry that
// stands for everything outside. Frequencies are >= 1 and sum to exactly 1 << precision.
// Const methods are thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

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
  int32_t max_symbol() const { return min_symbol + num_values() - 1; }
};

// Quantises probabilities to integers that sum to 1 << precision, each at least 1, minimising the expected
// code length sum(p * -log2(freq / 2^precision)) (greedy exchange from the rounded start).
// `weights` are non-negative, finite, not all zero, at most 2^precision many; they need not sum to 1.
// Errors: kInvalidArgument.
Result<std::vector<uint32_t>> QuantizeFrequencies(std::span<const double> weights, int precision);

// kCorrupt with the reason when the table breaks a rule above (sum, zero frequency, alphabet, int16 range).
Status ValidateTable(const CdfTable& table, int precision);

// Tables ready for coding: validated once, flattened, indexed by [0, size()).
class CdfTableSet {
 public:
  static Result<CdfTableSet> Create(std::vector<CdfTable> tables, int precision);

  int precision() const { return precision_; }
  size_t size() const { return tables_.size(); }
  const CdfTable& table(size_t index) const { return tables_[index]; }

  // Where entry e of table t begins, of [0, 2^precision]; entries + 1 values.
  std::span<const uint32_t> cum(size_t index) const {
    return {cum_.data() + refs_[index].cum_offset, tables_[index].freq.size() + 1};
  }
  // Entry that holds a slot of [0, 2^precision).
  uint32_t EntryOf(size_t index, uint32_t slot) const { return View(index).EntryOf(slot); }

  // What coding reads of a table, gathered for the inner loops; valid as long as the set is neither moved nor gone.
  struct TableView {
    const uint32_t* cum;          // as cum()
    const uint16_t* first_entry;  // entry at the start of each bucket of 1 << bucket_shift slots
    int bucket_shift;
    int32_t min_symbol;
    uint32_t num_values;
    bool has_escape;  // the escape is entry num_values

    // Buckets outnumber entries by 16 where the precision allows it, so that the loop rarely turns.
    uint32_t EntryOf(uint32_t slot) const {
      uint32_t entry = first_entry[slot >> bucket_shift];
      while (cum[entry + 1] <= slot) ++entry;
      return entry;
    }
  };
  TableView View(size_t index) const {
    const Ref& ref = refs_[index];
    return {cum_.data() + ref.cum_offset,
            first_entry_.data() + ref.bucket_offset,
            ref.bucket_shift,
            ref.min_symbol,
            ref.num_values,
            ref.has_escape};
  }

  // Symbol nearest to `symbol` that table t can code: tables without escape clamp, others pass every int16.
  int32_t Clamp(size_t index, int32_t symbol) const;

  // Exact cost of a symbol in bits, escape bits included (before rANS rounding); infinite when the table has no
  // escape and does not hold it.
  double CostBits(size_t index, int32_t symbol) const;

 private:
  struct Ref {
    size_t cum_offset = 0;  // into cum_; the costs of the same entries begin at cum_offset - index of the table
    size_t bucket_offset = 0;
    int32_t bucket_shift = 0;
    int32_t min_symbol = 0;
    uint32_t num_values = 0;
    bool has_escape = false;
  };

  void Append(const CdfTable& table);

  int precision_ = 0;
  std::vector<CdfTable> tables_;
  std::vector<Ref> refs_;
  std::vector<uint32_t> cum_;
  std::vector<double> cost_bits_;  // of each entry, one fewer a table than cum_
  std::vector<uint16_t> first_entry_;
};

}  // namespace strait
