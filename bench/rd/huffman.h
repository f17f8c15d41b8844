// What a unit's symbols would take under one static Huffman table for all channels, as the published units were
// measured (Datta et al. 2022): a whole number of bits a symbol, at least one.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "strait/model.h"
#include "strait/result.h"

namespace strait {

// Lengths in bits of the optimal prefix code of these weights, which are positive; a single one has a bit.
// Source: D. A. Huffman, "A method for the construction of minimum-redundancy codes", Proc. IRE 40(9), 1952.
std::vector<int> HuffmanLengths(std::span<const double> weights);

// The code of a model's level: of the average of its channels' CDF tables, which were fitted to training samples.
class HuffmanCode {
 public:
  // Whether the model has a CDF table a channel: one with context has not.
  static bool Fits(const Model& model);

  // Errors: kUnsupported for a model that does not fit.
  static Result<HuffmanCode> OfLevel(const Model& model, int level);

  // Bytes of these symbols, rounded up; others than the table's cost an escape.
  size_t Bytes(std::span<const int16_t> symbols) const;

 private:
  std::map<int, int> lengths_;  // by symbol
  int escape_bits_ = 0;         // with the symbol's own 16
};

}  // namespace strait
