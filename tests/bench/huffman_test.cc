#include "bench/rd/huffman.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/codec/test_models.h"

namespace strait {
namespace {

double MeanLength(const std::vector<double>& weights) {
  const std::vector<int> lengths = HuffmanLengths(weights);
  return std::inner_product(weights.begin(), weights.end(), lengths.begin(), 0.0) /
         std::accumulate(weights.begin(), weights.end(), 0.0);
}

TEST(Huffman, GivesTheLengthsOfTheTextbook) {
  EXPECT_EQ(HuffmanLengths(std::vector<double>{0.4, 0.2, 0.2, 0.1, 0.1}).size(), 5u);
  EXPECT_NEAR(MeanLength({0.4, 0.2, 0.2, 0.1, 0.1}), 2.2, 1e-12);
  EXPECT_EQ(HuffmanLengths(std::vector<double>{8, 4, 2, 1, 1}), (std::vector<int>{1, 2, 3, 4, 4}));
  EXPECT_EQ(HuffmanLengths(std::vector<double>{3}), std::vector<int>{1});
}

TEST(Huffman, IsAPrefixCodeWithinABitOfTheEntropy) {
  std::vector<double> weights;
  for (int i = 1; i < 60; ++i) weights.push_back(1.0 / (i * i));
  double kraft = 0, entropy = 0;
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (const int length : HuffmanLengths(weights)) kraft += std::ldexp(1.0, -length);
  for (const double w : weights) entropy -= w / total * std::log2(w / total);
  EXPECT_DOUBLE_EQ(kraft, 1);
  EXPECT_GE(MeanLength(weights), entropy);
  EXPECT_LT(MeanLength(weights), entropy + 1);
}

TEST(Huffman, NeverSpendsLessThanABitASymbol) {
  const auto model = testing::ModelOf(testing::ConvSpec());
  const HuffmanCode code = HuffmanCode::OfLevel(*model, 0).value();
  EXPECT_EQ(code.Bytes(std::vector<int16_t>(80, 0)), 10u);
  EXPECT_GT(code.Bytes(std::vector<int16_t>(80, 1)), 10u);
  EXPECT_GE(code.Bytes(std::vector<int16_t>{30000}), 2u);
  EXPECT_EQ(HuffmanCode::OfLevel(*testing::ModelOf(testing::ContextConvSpec()), 0).status().code(),
            StatusCode::kUnsupported);
}

}  // namespace
}  // namespace strait
