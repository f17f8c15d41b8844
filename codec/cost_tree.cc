#include "codec/cost_tree.h"

#include <algorithm>

namespace strait {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A million entries make 7 levels, of which each leaves at most 7 blocks for later.
constexpr int kMaxPending = 64;

// What the tree is split by.
constexpr int kNumAxes = 5;

double Coordinate(const PlanEntry& entry, int axis) {
  switch (axis) {
    case 0:
      return entry.device_seconds;
    case 1:
      return entry.bytes;
    case 2:
      return entry.server_seconds;
    case 3:
      return entry.device_joules;
    default:
      return entry.accuracy;
  }
}

uint64_t PlaceBit(uint64_t place) { return uint64_t{1} << (place % 64); }

}  // namespace

// No child yet: nothing meets its accuracy, and its cost is infinite.
CostTree::Block::Block() {
  device_seconds.fill(kInfinity);
  bytes.fill(0);
  server_seconds.fill(0);
  device_joules.fill(0);
  accuracy.fill(-kInfinity);
  places.fill(0);
  first.fill(kNone);
  child.fill(kNone);
}

class CostTree::Builder {
 public:
  Builder(CostTree& tree, const std::vector<PlanEntry>& entries, const std::vector<uint32_t>& places,
          std::span<uint32_t> indices)
      : tree_(tree), entries_(entries), places_(places) {
    for (int axis = 0; axis < kNumAxes; ++axis) scale_[axis] = 1 / std::max(SpreadOf(indices, axis), 1e-300);
    tree_.blocks_.reserve(indices.size() / (kWidth - 1) + 8);
    Build(indices);
  }

 private:
  double SpreadOf(std::span<const uint32_t> indices, int axis) const {
    double low = kInfinity, high = -kInfinity;
    for (const uint32_t i : indices) {
      low = std::min(low, Coordinate(entries_[i], axis));
      high = std::max(high, Coordinate(entries_[i], axis));
    }
    return high - low;
  }

  // Returns the block of `indices`, which it reorders.
  uint32_t Build(std::span<uint32_t> indices) {
    const auto at = static_cast<uint32_t>(tree_.blocks_.size());
    tree_.blocks_.emplace_back();
    if (indices.size() <= kWidth) {
      for (size_t i = 0; i < indices.size(); ++i) SetEntry(tree_.blocks_[at], i, indices[i]);
      return at;
    }
    // All blocks but the last of a level are full.
    size_t capacity = kWidth;
    while (capacity * kWidth < indices.size()) capacity *= kWidth;
    std::array<std::span<uint32_t>, kWidth> parts;
    int num_parts = 0;
    Split(indices, capacity, parts, num_parts);
    tree_.blocks_[at].is_leaf = false;
    for (int part = 0; part < num_parts; ++part) {
      const uint32_t child = Build(parts[static_cast<size_t>(part)]);
      SetChild(tree_.blocks_[at], static_cast<size_t>(part), child);
    }
    return at;
  }

  // Halves `indices` across their longest side until no part is larger than `capacity`.
  void Split(std::span<uint32_t> indices, size_t capacity, std::array<std::span<uint32_t>, kWidth>& parts,
             int& num_parts) {
    if (indices.size() <= capacity) {
      parts[static_cast<size_t>(num_parts++)] = indices;
      return;
    }
    int longest = 0;
    double length = -1;
    for (int axis = 0; axis < kNumAxes; ++axis) {
      const double side = SpreadOf(indices, axis) * scale_[axis];
      if (side > length) longest = axis, length = side;
    }
    const size_t full = (indices.size() + capacity - 1) / capacity / 2 * capacity;
    std::nth_element(indices.begin(), indices.begin() + static_cast<ptrdiff_t>(full), indices.end(),
                     [&](uint32_t a, uint32_t b) {
                       const double x = Coordinate(entries_[a], longest), y = Coordinate(entries_[b], longest);
                       return x < y || (x == y && a < b);
                     });
    Split(indices.first(full), capacity, parts, num_parts);
    Split(indices.subspan(full), capacity, parts, num_parts);
  }

  void SetEntry(Block& block, size_t slot, uint32_t index) {
    const PlanEntry& entry = entries_[index];
    block.device_seconds[slot] = entry.device_seconds;
    block.bytes[slot] = entry.bytes;
    block.server_seconds[slot] = entry.server_seconds;
    block.device_joules[slot] = entry.device_joules;
    block.accuracy[slot] = entry.accuracy;
    block.places[slot] = places_[index];
    block.first[slot] = index;
  }

  void SetChild(Block& block, size_t slot, uint32_t child) {
    const Block& from = tree_.blocks_[child];
    block.device_seconds[slot] = std::ranges::min(from.device_seconds);
    // Slots without a child have zeros here, which must not count.
    block.bytes[slot] = block.server_seconds[slot] = block.device_joules[slot] = kInfinity;
    for (size_t i = 0; i < kWidth && from.first[i] != kNone; ++i) {
      block.bytes[slot] = std::min(block.bytes[slot], from.bytes[i]);
      block.server_seconds[slot] = std::min(block.server_seconds[slot], from.server_seconds[i]);
      block.device_joules[slot] = std::min(block.device_joules[slot], from.device_joules[i]);
      block.places[slot] |= from.is_leaf ? PlaceBit(from.places[i]) : from.places[i];
    }
    block.accuracy[slot] = std::ranges::max(from.accuracy);
    block.first[slot] = std::ranges::min(from.first);
    block.child[slot] = child;
  }

  CostTree& tree_;
  const std::vector<PlanEntry>& entries_;
  const std::vector<uint32_t>& places_;
  double scale_[kNumAxes];
};

CostTree::CostTree(const std::vector<PlanEntry>& entries, const std::vector<uint32_t>& places,
                   std::vector<uint32_t> indices) {
  if (indices.empty()) return;
  remote_ = RemoteFactor(entries[indices.front()]);
  Builder(*this, entries, places, indices);
  blocks_.shrink_to_fit();
  max_accuracy_ = std::ranges::max(blocks_.front().accuracy);
}

// The cost of each child, infinite where it fails the accuracy or the deadline. No branches: this becomes vectors.
void CostTree::Evaluate(const Block& block, const CostQuery& query, Row& cost) const {
  const uint64_t held = block.is_leaf ? 0 : PlaceBit(query.held_place);
  for (size_t i = 0; i < kWidth; ++i) {
    const double bytes = block.bytes[i], server = block.server_seconds[i];
    const double wait = WaitSeconds(query.cost.link, remote_, bytes, server);
    const double latency = LatencySeconds(query.cost.link, block.device_seconds[i], wait);
    const double energy = EnergyJoules(query.cost, block.device_joules[i], bytes, wait);
    cost[i] = CostSeconds(query.cost, latency, energy);
  }
  if (query.penalty > 0) {
    for (size_t i = 0; i < kWidth; ++i) {
      const bool elsewhere = block.is_leaf ? block.places[i] != query.held_place : (block.places[i] & held) == 0;
      cost[i] += elsewhere ? query.penalty : 0;
    }
  }
  for (size_t i = 0; i < kWidth; ++i) cost[i] = block.accuracy[i] >= query.min_accuracy ? cost[i] : kInfinity;
  if (query.deadline_seconds == kInfinity) return;
  for (size_t i = 0; i < kWidth; ++i) {
    const double wait = WaitSeconds(query.limit_link, remote_, block.bytes[i], block.server_seconds[i]);
    const double latency = LatencySeconds(query.limit_link, block.device_seconds[i], wait);
    cost[i] = latency <= query.deadline_seconds ? cost[i] : kInfinity;
  }
}

void CostTree::Search(const CostQuery& query, CostBest& best) const {
  struct Pending {
    double bound;
    uint32_t first, block;
  };
  if (blocks_.empty()) return;
  std::array<Pending, kMaxPending> pending;
  size_t num_pending = 0;
  pending[num_pending++] = {-kInfinity, 0, 0};
  Row cost;
  while (num_pending > 0) {
    const Pending next = pending[--num_pending];
    if (best.Before(next.bound, next.first)) continue;
    const Block& block = blocks_[next.block];
    Evaluate(block, query, cost);
    const size_t bottom = num_pending;
    for (size_t i = 0; i < kWidth; ++i) {
      if (!(cost[i] < kInfinity) || best.Before(cost[i], block.first[i])) continue;
      if (block.is_leaf) {
        best = {cost[i], block.first[i]};
        continue;
      }
      // The cheapest ends on top.
      size_t at = num_pending++;
      for (; at > bottom && pending[at - 1].bound < cost[i]; --at) pending[at] = pending[at - 1];
      pending[at] = {cost[i], block.first[i], block.child[i]};
    }
  }
}

}  // namespace strait
