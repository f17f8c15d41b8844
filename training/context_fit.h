// Fits the CDF tables of a context model: every channel of every set has a histogram a cell; all of them share a
// few tables, chosen by the bits that the symbols then cost.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "codec/model_spec.h"
#include "strait/result.h"

namespace strait {

class ContextFit {
 public:
  // Symbols further than this from zero are left to escapes. What is fitted takes its memory from it.
  explicit ContextFit(int32_t reach) : reach_(reach) {}

  int32_t reach() const { return reach_; }

  // Adds the next channel (all of a set, then the next set) by its symbols, [M] int64, the cell of each, and the
  // prior's probability of the integers -reach .. reach in every cell, [kContextCells, 2 reach + 1] float64.
  void AddChannel(const torch::Tensor& symbols, const torch::Tensor& cells, const torch::Tensor& prior);

  // Tables of `precision` bits, and which of them codes each cell.
  struct Tables {
    std::vector<CdfTable> tables;
    std::vector<uint8_t> cell_tables;
  };
  Result<Tables> Fit(int precision) &&;

 private:
  struct Channel {
    bool is_certain = false;  // all of its symbols were 0
    torch::Tensor
        weights;  // [kContextCells, 2 reach + 2] float32: counts with the prior's share; last: further away
  };

  int32_t reach_;
  std::vector<Channel> channels_;
};

}  // namespace strait
