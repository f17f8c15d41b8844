#include "training/evaluate.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "codec/model_spec.h"

namespace strait {
namespace {

constexpr int64_t kSamples = 70;  // more than one batch of the tail

Op Identity(int64_t channels) {
  Op op;
  op.kind = OpKind::kConv2d;
  op.weight.shape = {channels, channels, 1, 1};
  op.weight.data.assign(static_cast<size_t>(channels * channels), 0.0f);
  for (int64_t c = 0; c < channels; ++c) op.weight.data[static_cast<size_t>(c * channels + c)] = 1;
  return op;
}

// Level 0 rounds everything of size below 4 to zero, level 1 keeps quarters exactly.
std::shared_ptr<const Model> TwoLevelModel() {
  ModelSpec spec;
  spec.feature_shape = {2, 2, 2};
  spec.latent_shape = {2, 2, 2};
  spec.analysis = {Identity(2)};
  spec.synthesis = {Identity(2)};
  spec.levels = {{0.1, 1, 50}, {0.001, 2, 90}};
  spec.gain = {{0.125f, 0.125f}, {4.0f, 4.0f}};
  spec.inverse_gain = {{8.0f, 8.0f}, {0.25f, 0.25f}};
  CdfTable table{-16, true, std::vector<uint32_t>(34, 1)};
  table.freq[16] = (1u << spec.precision) - 33;
  spec.tables.assign(4, table);
  const Result<std::vector<uint8_t>> bytes = SerializeModel(spec);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  Result<std::shared_ptr<const Model>> model = Model::FromBytes(*bytes);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return *model;
}

torch::jit::Module MeanTail() {
  torch::jit::Module tail("MeanTail");
  tail.define("def forward(self, x: Tensor) -> Tensor:\n  return x.mean([2, 3])\n");
  return tail;
}

// Quarters, class 1 in every third sample; every tenth label is wrong.
EvalSet MakeSet() {
  EvalSet set;
  set.features = torch::zeros({kSamples, 2, 2, 2});
  set.labels = torch::zeros({kSamples}, torch::kInt64);
  for (int64_t i = 0; i < kSamples; ++i) {
    const int64_t predicted = i % 3 == 0 ? 1 : 0;
    set.features[i][predicted] = 0.25 * static_cast<double>(1 + i % 8);
    set.labels[i] = i % 10 == 0 ? 1 - predicted : predicted;
  }
  set.answers = AnswersOf(set.features.mean({2, 3}));
  return set;
}

TEST(Evaluate, ALosslessLevelKeepsAccuracyAndCountsTheBytesOfRealFrames) {
  const auto model = TwoLevelModel();
  const EvalSet set = MakeSet();
  const Result<RdPoint> point = EvaluateQuality(model, MeanTail(), set, 1);
  ASSERT_TRUE(point.ok()) << point.status().message();
  EXPECT_EQ(point->codec, "strait");
  EXPECT_EQ(point->level, "1");
  EXPECT_DOUBLE_EQ(point->lambda, 0.001);
  EXPECT_DOUBLE_EQ(point->top1, 90.0);
  EXPECT_DOUBLE_EQ(point->top1_drop, 0.0);
  EXPECT_DOUBLE_EQ(point->agreement, 100.0);

  Encoder encoder(model);
  size_t bytes = 0;
  for (int64_t i = 0; i < kSamples; ++i) {
    std::vector<uint8_t> frame;
    const torch::Tensor one = set.features[i].contiguous();
    ASSERT_TRUE(encoder.Encode({one.data_ptr<float>(), {1, 2, 2, 2}}, {.quality = 1}, frame).ok());
    bytes += frame.size();
  }
  EXPECT_DOUBLE_EQ(point->bytes_per_sample, static_cast<double>(bytes) / kSamples);
  EXPECT_DOUBLE_EQ(point->bits_per_element, point->bytes_per_sample);  // 8 elements, 8 bits a byte
}

TEST(Evaluate, ALevelThatLosesEverythingPredictsOneClass) {
  const EvalSet set = MakeSet();
  const Result<RdPoint> point = EvaluateQuality(TwoLevelModel(), MeanTail(), set, 0);
  ASSERT_TRUE(point.ok()) << point.status().message();
  const torch::Tensor zeros = torch::zeros({kSamples}, torch::kInt64);
  EXPECT_DOUBLE_EQ(point->top1, 100.0 * set.labels.eq(zeros).to(torch::kFloat64).mean().item<double>());
  EXPECT_DOUBLE_EQ(point->top1_drop, 90.0 - point->top1);
  EXPECT_LT(point->agreement, 100.0);
}

TEST(Evaluate, HalfPrecisionFeaturesGiveTheSameRow) {
  const auto model = TwoLevelModel();
  EvalSet set = MakeSet();
  const Result<RdPoint> wanted = EvaluateQuality(model, MeanTail(), set, 1);
  set.features = set.features.to(torch::kHalf);
  const Result<RdPoint> got = EvaluateQuality(model, MeanTail(), set, 1);
  ASSERT_TRUE(wanted.ok() && got.ok());
  EXPECT_DOUBLE_EQ(got->bytes_per_sample, wanted->bytes_per_sample);
  EXPECT_DOUBLE_EQ(got->top1, wanted->top1);
}

TEST(Evaluate, AQualityBetweenLevelsIsNamedByItsNumber) {
  const Result<RdPoint> point = EvaluateQuality(TwoLevelModel(), MeanTail(), MakeSet(), 0.25);
  ASSERT_TRUE(point.ok()) << point.status().message();
  EXPECT_EQ(point->level, "0.25");
  EXPECT_NEAR(point->lambda, 0.1 * std::pow(0.01, 0.25), 1e-9);
}

TEST(Evaluate, AccuracyOfPixelsIsTheMeanIntersectionOverUnionOfClassesThatOccur) {
  // Four classes, of which the last never occurs. Two images of 1x3.
  const torch::Tensor labels = torch::tensor({0, 0, 1, 1, 2, 0}, torch::kLong).view({2, 1, 3});
  const torch::Tensor answers = torch::tensor({0, 1, 1, 1, 0, 0}, torch::kLong).view({2, 1, 3});
  const torch::Tensor logits = torch::one_hot(answers, 4).permute({0, 3, 1, 2}).to(torch::kFloat);
  EXPECT_TRUE(torch::equal(AnswersOf(logits), answers));
  // Class 0: 2 of {0, 1, 4, 5}; class 1: 2 of {1, 2, 3}; class 2: none of {4}.
  EXPECT_NEAR(Accuracy(answers, labels), 100 * (2.0 / 4 + 2.0 / 3 + 0) / 3, 1e-9);
  EXPECT_NEAR(Agreement(answers, labels), 100 * 4.0 / 6, 1e-9);
  EXPECT_STREQ(AccuracyName(answers), "mean IoU");
  EXPECT_STREQ(AccuracyName(answers.flatten()), "top-1");
}

TEST(Evaluate, WrongShapesAndEmptySetsAreErrors) {
  const auto model = TwoLevelModel();
  EvalSet set = MakeSet();
  set.features = torch::zeros({kSamples, 3, 2, 2});
  EXPECT_EQ(EvaluateQuality(model, MeanTail(), set, 1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(EvaluateQuality(model, MeanTail(), EvalSet{}, 1).status().code(), StatusCode::kInvalidArgument);
  set = MakeSet();
  set.labels = set.labels.narrow(0, 0, 5);
  EXPECT_EQ(EvaluateQuality(model, MeanTail(), set, 1).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace strait
