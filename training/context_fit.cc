#include "training/context_fit.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "codec/model_format.h"
#include "training/table_fit.h"

namespace strait {
namespace {

// The prior counts as so many symbols in every cell: it decides where few were seen.
constexpr double kPriorWeight = 8;
constexpr int kRefinements = 4;  // after each round of splits
constexpr int kFinalRefinements = 8;
constexpr int64_t kRowsAtOnce = 16384;
constexpr double kSplit = 0.2;  // relative shift of the halves of a cluster, in its standard deviations
constexpr double kMinProbability = 1e-6;

// Clusters of histograms under code length: k-means with Kullback-Leibler divergence as distance, from one cluster
// on, splitting those that cost most over their own entropy (Linde, Buzo and Gray 1980).
class Clusters {
 public:
  Clusters(torch::Tensor rows, int64_t most) : rows_(std::move(rows)), most_(most) {
    std::vector<torch::Tensor> entropies;  // in parts: rows may be gigabytes
    for (const torch::Tensor& some : rows_.split(kRowsAtOnce)) {
      const torch::Tensor totals = some.sum(1, /*keepdim=*/true).clamp_min(1e-12);
      entropies.push_back(-(some * torch::log2((some / totals).clamp_min(kMinProbability))).sum(1));
    }
    entropy_ = torch::cat(entropies);
    sums_ = rows_.sum(0, /*keepdim=*/true);
    Assign();
  }

  void Fit() {
    // A split half that attracts nothing is gone after refinement: where there are fewer kinds of histograms than
    // tables, clusters come and go. A round of either kind without more of them than ever before ends it.
    torch::Tensor largest = sums_.clone();  // splits write into it
    for (int round = 0, last_growth = 0; largest.size(0) < most_ && round - last_growth < 2; ++round) {
      Split(/*by_magnitude=*/round % 2 == 0);
      for (int i = 0; i < kRefinements; ++i) Refine();
      if (sums_.size(0) <= largest.size(0)) continue;
      largest = sums_.clone();
      last_growth = round + 1;
    }
    sums_ = largest;
    Assign();
    for (int i = 0; i < kFinalRefinements; ++i) Refine();
  }

  const torch::Tensor& sums() const { return sums_; }               // [K, V]
  const torch::Tensor& cluster_of_row() const { return cluster_; }  // [rows]

 private:
  void Assign() {
    const torch::Tensor bits =
        -torch::log2((sums_ / sums_.sum(1, /*keepdim=*/true)).clamp_min(kMinProbability)).t().contiguous();
    std::vector<torch::Tensor> clusters, costs;
    for (const torch::Tensor& some : rows_.split(kRowsAtOnce)) {
      const auto [cost, cluster] = torch::mm(some, bits).min(1);
      clusters.push_back(cluster);
      costs.push_back(cost);
    }
    cluster_ = torch::cat(clusters);
    cost_ = torch::cat(costs);
  }

  void Refine() {
    torch::Tensor sums = torch::zeros_like(sums_);
    sums.index_add_(0, cluster_, rows_);
    const torch::Tensor used = torch::nonzero(sums.sum(1) > 0).squeeze(1);
    sums_ = sums.index_select(0, used);
    Assign();
  }

  // Each of the costliest clusters becomes two, tilted towards small and large values or magnitudes.
  void Split(bool by_magnitude) {
    torch::Tensor excess = torch::zeros({sums_.size(0)});
    excess.index_add_(0, cluster_, cost_ - entropy_);
    const int64_t splits = std::min(sums_.size(0), most_ - sums_.size(0));
    const auto [worst, which] = excess.topk(splits);
    const torch::Tensor parents = sums_.index_select(0, which.masked_select(worst > 0));
    if (parents.size(0) == 0) return;
    const int64_t values = sums_.size(1);
    torch::Tensor x = torch::arange(values, torch::kFloat) - static_cast<double>((values - 2) / 2);
    if (by_magnitude) x = x.abs();
    const torch::Tensor share = parents / parents.sum(1, /*keepdim=*/true);
    const torch::Tensor mean = (share * x).sum(1, /*keepdim=*/true);
    const torch::Tensor std = (share * (x - mean).square()).sum(1, /*keepdim=*/true).sqrt().clamp_min(1e-3);
    const torch::Tensor tilt = torch::exp((kSplit * (x - mean) / std).clamp(-2, 2));
    sums_.index_copy_(0, which.masked_select(worst > 0), parents / tilt);
    sums_ = torch::cat({sums_, parents * tilt});
    Assign();
  }

  torch::Tensor rows_, entropy_;  // [R, V], [R]
  int64_t most_;
  torch::Tensor sums_, cluster_, cost_;
};

}  // namespace

void ContextFit::AddChannel(const torch::Tensor& symbols, const torch::Tensor& cells, const torch::Tensor& prior) {
  Channel channel;
  channel.is_certain = !symbols.any().item<bool>();
  if (!channel.is_certain) {
    const int64_t values = 2 * int64_t{reach_} + 2;
    const torch::Tensor column = torch::where(symbols.abs() <= reach_, symbols + reach_, values - 1);
    channel.weights = torch::bincount(cells * values + column, {}, kContextCells * values)
                          .view({kContextCells, values})
                          .to(torch::kFloat);
    const torch::Tensor outside = (1 - prior.sum(1, /*keepdim=*/true)).clamp_min(0);
    channel.weights += (kPriorWeight * torch::cat({prior, outside}, 1)).to(torch::kFloat);
  }
  channels_.push_back(std::move(channel));
}

Result<ContextFit::Tables> ContextFit::Fit(int precision) && {
  Tables fitted;
  std::vector<torch::Tensor> weights;
  for (Channel& channel : channels_) {
    if (!channel.is_certain) weights.push_back(std::move(channel.weights));
  }
  constexpr int64_t kFirstCluster = 1;  // after the table of all that is certain
  fitted.tables.push_back({0, false, {uint32_t{1} << precision}});
  torch::Tensor clusters;
  if (!weights.empty()) {
    torch::Tensor rows = torch::cat(weights);
    weights.clear();
    Clusters fit(std::move(rows), static_cast<int64_t>(kMaxContextTables) - kFirstCluster);
    fit.Fit();
    clusters = fit.cluster_of_row();
    const torch::Tensor sums = fit.sums().to(torch::kDouble).contiguous();
    const int64_t values = sums.size(1);
    for (int64_t k = 0; k < sums.size(0); ++k) {
      const double* const row = sums.data_ptr<double>() + k * values;
      STRAIT_ASSIGN_OR_RETURN(CdfTable table,
                              FitWithEscape(-reach_, {row, row + values - 1}, row[values - 1], precision));
      fitted.tables.push_back(std::move(table));
    }
  }
  const int64_t* cluster = clusters.defined() ? clusters.data_ptr<int64_t>() : nullptr;
  for (const Channel& channel : channels_) {
    for (int64_t cell = 0; cell < kContextCells; ++cell) {
      fitted.cell_tables.push_back(channel.is_certain ? 0 : static_cast<uint8_t>(kFirstCluster + *cluster++));
    }
  }
  return fitted;
}

}  // namespace strait
