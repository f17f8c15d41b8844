#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "entropy/cdf_table.h"

namespace strait {
namespace {

double CodeLengthBits(const std::vector<double>& weights, const std::vector<uint32_t>& freq, int precision) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  double bits = 0;
  for (size_t i = 0; i < weights.size(); ++i) bits += weights[i] / sum * (precision - std::log2(freq[i]));
  return bits;
}

double EntropyBits(const std::vector<double>& weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  double bits = 0;
  for (const double w : weights) bits -= w > 0 ? w / sum * std::log2(w / sum) : 0;
  return bits;
}

void ExpectSound(const std::vector<uint32_t>& freq, size_t size, int precision) {
  ASSERT_EQ(freq.size(), size);
  uint64_t sum = 0;
  for (const uint32_t f : freq) {
    EXPECT_GE(f, 1u);
    sum += f;
  }
  EXPECT_EQ(sum, uint64_t{1} << precision);
}

// Mass of each integer of [-reach, reach] under a Laplacian of scale b.
std::vector<double> Laplacian(double b, int reach) {
  std::vector<double> mass;
  for (int k = -reach; k <= reach; ++k) {
    const double a = std::abs(k);
    mass.push_back(k == 0 ? 1 - std::exp(-0.5 / b) : 0.5 * (std::exp(-(a - 0.5) / b) - std::exp(-(a + 0.5) / b)));
  }
  return mass;
}

// Shortest code over every split of `left` slots among entries [from, end).
double BruteForce(const std::vector<double>& weights, std::vector<uint32_t>& freq, size_t from, uint32_t left,
                  int precision) {
  if (from + 1 == weights.size()) {
    freq[from] = left;
    return CodeLengthBits(weights, freq, precision);
  }
  double best = std::numeric_limits<double>::infinity();
  const auto others = static_cast<uint32_t>(weights.size() - from - 1);
  for (uint32_t f = 1; f + others <= left; ++f) {
    freq[from] = f;
    best = std::min(best, BruteForce(weights, freq, from + 1, left - f, precision));
  }
  return best;
}

TEST(QuantizeFrequencies, SumsExactlyAndLeavesNoEntryEmpty) {
  std::mt19937 random(3);
  std::exponential_distribution<double> weight(1);
  for (int precision = kMinPrecision; precision <= kMaxPrecision; ++precision) {
    for (const size_t size : {size_t{1}, size_t{2}, size_t{17}, size_t{256}, size_t{1} << precision}) {
      std::vector<double> weights(size);
      for (double& w : weights) w = std::pow(weight(random), 8);  // spans many orders of magnitude
      if (size > 2) weights[1] = 0;
      const auto freq = QuantizeFrequencies(weights, precision);
      ASSERT_TRUE(freq.ok()) << freq.status().ToString();
      ExpectSound(freq.value(), size, precision);
    }
  }
}

TEST(QuantizeFrequencies, IsAsShortAsTheBestOfAllTables) {
  std::mt19937 random(4);
  std::exponential_distribution<double> weight(1);
  for (int trial = 0; trial < 40; ++trial) {
    std::vector<double> weights(2 + trial % 2);
    for (double& w : weights) w = std::pow(weight(random), 1 + trial % 6);
    std::vector<uint32_t> scratch(weights.size());
    const double best = BruteForce(weights, scratch, 0, 256, 8);
    const auto freq = QuantizeFrequencies(weights, 8).value();
    ExpectSound(freq, weights.size(), 8);
    EXPECT_NEAR(CodeLengthBits(weights, freq, 8), best, 1e-12) << trial;
  }
}

TEST(QuantizeFrequencies, NoExchangeOfOneSlotImprovesALargeTable) {
  const auto weights = Laplacian(0.7, 60);  // most entries have far less than one slot's mass
  const auto freq = QuantizeFrequencies(weights, 9).value();
  const double bits = CodeLengthBits(weights, freq, 9);
  for (size_t from = 0; from < freq.size(); ++from) {
    for (size_t to = 0; to < freq.size(); ++to) {
      if (from == to || freq[from] == 1) continue;
      auto other = freq;
      --other[from];
      ++other[to];
      EXPECT_GE(CodeLengthBits(weights, other, 9), bits - 1e-12);
    }
  }
}

TEST(QuantizeFrequencies, CostsAtMost5In10000OverTheIdealAt12BitsOnLaplacians) {
  for (const double scale : {0.5, 1.0, 2.0, 4.0}) {
    const auto weights = Laplacian(scale, static_cast<int>(std::ceil(7 * scale)));
    const auto freq = QuantizeFrequencies(weights, 12).value();
    EXPECT_LE(CodeLengthBits(weights, freq, 12), EntropyBits(weights) * 1.0005) << "scale " << scale;
  }
}

TEST(QuantizeFrequencies, DoesNotDependOnTheScaleOfTheWeights) {
  std::vector<double> weights = Laplacian(1.3, 12);
  const auto freq = QuantizeFrequencies(weights, 12).value();
  for (double& w : weights) w *= 1024;
  EXPECT_EQ(QuantizeFrequencies(weights, 12).value(), freq);
}

TEST(QuantizeFrequencies, RefusesWeightsThatAreNoDistribution) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  const double most = std::numeric_limits<double>::max();
  for (const std::vector<double>& weights :
       {std::vector<double>{}, {0, 0}, {1, -1e-9}, {1, nan}, {inf}, {most, most}, std::vector<double>(257, 1)}) {
    EXPECT_EQ(QuantizeFrequencies(weights, 8).status().code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(QuantizeFrequencies(std::vector<double>{1}, 7).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(QuantizeFrequencies(std::vector<double>{1}, 17).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace strait
