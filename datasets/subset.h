// A fixed part of a data set: the first `count` samples of a seeded shuffle.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "datasets/dataset.h"

namespace strait {

class SubsetDataset : public Dataset {
 public:
  SubsetDataset(std::unique_ptr<Dataset> base, size_t count, uint64_t seed)
      : base_(std::move(base)), order_(base_->size()) {
    std::iota(order_.begin(), order_.end(), size_t{0});
    // Own generator: std::shuffle differs between standard libraries.
    for (size_t i = 0; i + 1 < order_.size(); ++i) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      std::swap(order_[i], order_[i + (seed >> 33) % (order_.size() - i)]);
    }
    order_.resize(std::min(count, order_.size()));
    std::sort(order_.begin(), order_.end());
  }

  size_t size() const override { return order_.size(); }
  const std::vector<std::string>& class_names() const override { return base_->class_names(); }
  Result<Sample> Get(size_t index) const override { return base_->Get(order_[index]); }

 private:
  std::unique_ptr<Dataset> base_;
  std::vector<size_t> order_;
};

// All of `dataset` when count is 0 or not smaller than its size.
inline std::unique_ptr<Dataset> TakeSubset(std::unique_ptr<Dataset> dataset, int64_t count, uint64_t seed = 1) {
  if (count <= 0 || static_cast<size_t>(count) >= dataset->size()) return dataset;
  return std::make_unique<SubsetDataset>(std::move(dataset), static_cast<size_t>(count), seed);
}

}  // namespace strait
