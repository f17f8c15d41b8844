#include "bench/rd/huffman.h"

#include <cmath>
#include <functional>
#include <queue>
#include <utility>

#include "codec/model_impl.h"
#include "entropy/error.h"

namespace strait {

std::vector<int> HuffmanLengths(std::span<const double> weights) {
  if (weights.size() == 1) return {1};
  // Nodes from the leaves on; a node made of two others comes after both.
  std::vector<std::pair<size_t, size_t>> children;
  using Item = std::pair<double, size_t>;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> open;
  for (size_t i = 0; i < weights.size(); ++i) open.emplace(weights[i], i);
  while (open.size() > 1) {
    const auto [first_weight, first] = open.top();
    open.pop();
    const auto [second_weight, second] = open.top();
    open.pop();
    open.emplace(first_weight + second_weight, weights.size() + children.size());
    children.emplace_back(first, second);
  }
  std::vector<int> depth(weights.size() + children.size(), 0);
  for (size_t k = children.size(); k-- > 0;) {
    depth[children[k].first] = depth[children[k].second] = depth[weights.size() + k] + 1;
  }
  depth.resize(weights.size());
  return depth;
}

bool HuffmanCode::Fits(const Model& model) { return !model.impl().entropy.has_context(); }

Result<HuffmanCode> HuffmanCode::OfLevel(const Model& model, int level) {
  const EntropyModel& entropy = model.impl().entropy;
  if (!Fits(model)) {
    return Error(StatusCode::kUnsupported,
                 "huffman: a model with context has no CDF table a channel; train with unit.context=false");
  }
  constexpr double kFloor = 1e-9;  // an escape is never impossible
  std::map<int, double> weights;
  double escape = kFloor;
  for (const uint32_t index : entropy.ChannelTables(level * kQualitySteps)) {
    const CdfTable& table = entropy.tables().table(index);
    for (int e = 0; e < table.num_values(); ++e)
      weights[table.min_symbol + e] +=
          std::ldexp(table.freq[static_cast<size_t>(e)], -entropy.tables().precision());
    if (table.has_escape) escape += std::ldexp(table.freq.back(), -entropy.tables().precision());
  }
  std::vector<double> ordered;
  for (const auto& [symbol, weight] : weights) ordered.push_back(weight);
  ordered.push_back(escape);
  const std::vector<int> lengths = HuffmanLengths(ordered);
  HuffmanCode code;
  size_t i = 0;
  for (const auto& [symbol, weight] : weights) code.lengths_[symbol] = lengths[i++];
  code.escape_bits_ = lengths.back() + 16;
  return code;
}

size_t HuffmanCode::Bytes(std::span<const int16_t> symbols) const {
  size_t bits = 0;
  for (const int16_t symbol : symbols) {
    const auto found = lengths_.find(symbol);
    bits += static_cast<size_t>(found == lengths_.end() ? escape_bits_ : found->second);
  }
  return (bits + 7) / 8;
}

}  // namespace strait
