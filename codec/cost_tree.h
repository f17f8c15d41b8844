// Finds the entry of smallest cost among those that meet an accuracy and a deadline, without looking at most of
// them: a k-d tree over what entries cost, eight children a block, searched depth first with the cheapest child
// first. A block holds of each child the smallest of every component and the largest accuracy; costs never fall
// when a component rises, so the cost of these minima bounds all entries under the child. Immutable once built.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "codec/plan_cost.h"

namespace strait {

struct CostQuery {
  CostTerms cost;  // what is made small
  LinkTerms limit_link;
  double deadline_seconds = std::numeric_limits<double>::infinity();  // over limit_link
  double min_accuracy = 0;
  uint32_t held_place = 0;
  double penalty = 0;  // added to the cost of entries of other places
};

// Ordered by cost, equal ones by index.
struct CostBest {
  double cost = std::numeric_limits<double>::infinity();
  uint32_t index = std::numeric_limits<uint32_t>::max();  // of the entry; largest: none yet
  bool found() const { return index != std::numeric_limits<uint32_t>::max(); }
  bool Before(double other_cost, uint32_t other_index) const {
    return cost < other_cost || (cost == other_cost && index < other_index);
  }
};

class CostTree {
 public:
  CostTree() = default;
  // Of entries[i] for i of `indices`, all of which send something or none does; places[i] numbers split and route.
  CostTree(const std::vector<PlanEntry>& entries, const std::vector<uint32_t>& places,
           std::vector<uint32_t> indices);

  bool empty() const { return blocks_.empty(); }
  double max_accuracy() const { return max_accuracy_; }

  // Replaces `best` by the first entry of the tree before it, if there is one. Allocates nothing.
  void Search(const CostQuery& query, CostBest& best) const;

 private:
  static constexpr int kWidth = 8;
  using Row = std::array<double, kWidth>;

  // Eight entries, or what bounds eight blocks.
  struct alignas(64) Block {
    Block();
    Row device_seconds, bytes, server_seconds, device_joules, accuracy;
    std::array<uint64_t, kWidth> places;  // a bit each, modulo 64; of an entry its number
    std::array<uint32_t, kWidth> first;   // smallest index of an entry; largest where there is no child
    std::array<uint32_t, kWidth> child;   // block
    bool is_leaf = true;
  };

  class Builder;

  void Evaluate(const Block& block, const CostQuery& query, Row& cost) const;

  std::vector<Block> blocks_;  // the first is the root
  double max_accuracy_ = -std::numeric_limits<double>::infinity();
  double remote_ = 0;
};

}  // namespace strait
