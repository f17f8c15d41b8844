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
    return {cum_.data() + cum_offset_[index], tables_[index].freq.size() + 1};
  }
  // Entry that holds a slot of [0, 2^precision).
  uint32_t EntryOf(size_t index, uint32_t slot) const;

  // Symbols nearest to what table t can code: tables without escape clamp, others pass every int16.
  int32_t Clamp(size_t index, int32_t symbol) const;

  // Exact cost of a symbol in bits, escape bits included (before rANS rounding).
  double CostBits(size_t index, int32_t symbol) const;

 private:
  int precision_ = 0;
  std::vector<CdfTable> tables_;
  std::vector<uint32_t> cum_;
  std::vector<size_t> cum_offset_;
};

}  // namespace strait
