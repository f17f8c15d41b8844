#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>
#include <utility>

#include "entropy/cdf_table.h"
#include "entropy/error.h"

namespace strait {
namespace {

// Bits saved by one more slot for an entry of probability p that has f: convex, so exchanging one slot at a time
// until no exchange helps ends at the global optimum. The same function gives what taking that slot back costs,
// bit for bit, so every exchange strictly improves and the loop ends.
double MarginalBits(double p, uint32_t f) { return p * std::log2((f + 1.0) / f); }

// Entries ordered by what changing them by one slot is worth; a candidate is stale once its entry has changed.
class Exchange {
 public:
  Exchange(std::vector<double> probabilities, std::vector<uint32_t>& freq)
      : probabilities_(std::move(probabilities)), freq_(freq) {
    for (size_t i = 0; i < freq_.size(); ++i) Push(i);
  }

  double BestGain() { return Gain(Top(gains_)); }
  double LeastLoss() { return Loss(Top(losses_)); }
  void Give() { Change(Top(gains_), +1); }
  void Take() { Change(Top(losses_), -1); }

 private:
  struct Candidate {
    double key;  // larger is better
    size_t entry;
    uint32_t freq;
    bool operator<(const Candidate& other) const {
      return key != other.key ? key < other.key : entry > other.entry;
    }
  };
  using Heap = std::priority_queue<Candidate>;

  double Gain(size_t i) const { return MarginalBits(probabilities_[i], freq_[i]); }
  double Loss(size_t i) const {
    return freq_[i] == 1 ? std::numeric_limits<double>::infinity() : MarginalBits(probabilities_[i], freq_[i] - 1);
  }

  void Push(size_t i) {
    gains_.push({Gain(i), i, freq_[i]});
    losses_.push({-Loss(i), i, freq_[i]});
  }

  // Every entry always has one fresh candidate, so the heap never runs empty.
  size_t Top(Heap& heap) {
    while (heap.top().freq != freq_[heap.top().entry]) heap.pop();
    return heap.top().entry;
  }

  void Change(size_t i, int by) {
    freq_[i] += static_cast<uint32_t>(by);
    Push(i);
  }

  std::vector<double> probabilities_;
  std::vector<uint32_t>& freq_;
  Heap gains_;
  Heap losses_;
};

Result<double> SumOfWeights(std::span<const double> weights, uint32_t total) {
  if (weights.empty() || weights.size() > total) {
    return Error(StatusCode::kInvalidArgument, "cdf table: ", weights.size(), " weights, want 1 to ", total);
  }
  double sum = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!std::isfinite(weights[i]) || weights[i] < 0) {
      return Error(StatusCode::kInvalidArgument, "cdf table: weight ", i, " is ", weights[i],
                   ", want a finite number >= 0");
    }
    sum += weights[i];
  }
  if (!(sum > 0) || !std::isfinite(sum)) {
    return Error(StatusCode::kInvalidArgument, "cdf table: weights sum to ", sum, ", want a finite number > 0");
  }
  return sum;
}

}  // namespace

Result<std::vector<uint32_t>> QuantizeFrequencies(std::span<const double> weights, int precision) {
  if (precision < kMinPrecision || precision > kMaxPrecision) {
    return Error(StatusCode::kInvalidArgument, "cdf table: precision ", precision, " is outside [", kMinPrecision,
                 ", ", kMaxPrecision, "]");
  }
  const uint32_t total = uint32_t{1} << precision;
  STRAIT_ASSIGN_OR_RETURN(const double weight_sum, SumOfWeights(weights, total));

  std::vector<double> probabilities(weights.begin(), weights.end());
  std::vector<uint32_t> freq(weights.size());
  int64_t excess = -int64_t{total};
  for (size_t i = 0; i < freq.size(); ++i) {
    probabilities[i] /= weight_sum;
    freq[i] = std::max<uint32_t>(1, static_cast<uint32_t>(std::lround(probabilities[i] * total)));
    excess += freq[i];
  }
  Exchange exchange(std::move(probabilities), freq);
  for (; excess > 0; --excess) exchange.Take();
  for (; excess < 0; ++excess) exchange.Give();
  while (exchange.BestGain() > exchange.LeastLoss()) {
    exchange.Take();
    exchange.Give();
  }
  return freq;
}

}  // namespace strait
