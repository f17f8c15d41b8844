#include "training/natural_bottlenecks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "tests/training/published_networks.h"

namespace strait {
namespace {

std::vector<std::string> MarksOf(const std::vector<int64_t>& elements, const Shape& input,
                                 const std::vector<bool>& modules = {}) {
  std::vector<SplitInfo> splits(elements.size());
  for (size_t i = 0; i < elements.size(); ++i) {
    splits[i].elements = elements[i];
    splits[i].is_module_output = modules.empty() || modules[i];
  }
  std::vector<std::string> names;
  for (const NaturalMark& mark : MarkNaturalBottlenecks(splits, input)) {
    names.emplace_back(mark.by_bytes ? (mark.by_elements ? "both" : "bytes") : mark.by_elements ? "elements" : "-");
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(NaturalBottlenecks, AreSmallerThanTheInputAndThanEveryEarlierSplit) {
  EXPECT_EQ(MarksOf({200, 100, 90, 95, 90, 50}, {100}), (Names{"-", "-", "elements", "-", "-", "elements"}));
  EXPECT_EQ(MarksOf({}, {100}), Names{});
}

TEST(NaturalBottlenecks, ByBytesAFloatCountsFourTimesAPixel) {
  EXPECT_EQ(MarksOf({99, 26, 25, 24, 24, 3}, {1, 10, 10}),
            (Names{"elements", "elements", "elements", "both", "-", "both"}));
  const NaturalMark mark = MarkNaturalBottlenecks({{.name = "a", .shape = {50}, .elements = 50}}, {100})[0];
  EXPECT_EQ(mark.compression_ratio, 0.5);
}

TEST(NaturalBottlenecks, TheFirstModuleOutputStandsForNeighboursOfEqualSize) {
  EXPECT_EQ(MarksOf({50, 50, 50, 20, 20}, {100}, {false, true, true, false, false}),
            (Names{"-", "elements", "-", "both", "-"}));
}

// Name and mark of each natural bottleneck of a network for images of 32x32; a value without a module as its shape.
Names NaturalOf(const torch::jit::Module& net, const std::string& name) {
  const std::string path = testing::SaveNetwork(net, "natural_" + name);
  const Result<Backbone> backbone = Backbone::Load(path, {3, 32, 32});
  std::remove(path.c_str());
  EXPECT_TRUE(backbone.ok()) << backbone.status().message();
  if (!backbone.ok()) return {};
  const std::vector<NaturalMark> marks = MarkNaturalBottlenecks(backbone->splits(), backbone->input_shape());
  Names names;
  for (size_t i = 0; i < marks.size(); ++i) {
    const SplitInfo& split = backbone->splits()[i];
    if (!marks[i].by_elements) continue;
    names.push_back((split.is_module_output ? split.name : ToString(split.shape)) +
                    (marks[i].by_bytes ? " both" : " elements"));
  }
  return names;
}

TEST(NaturalBottlenecks, OfAResidualNetworkAreTheFirstBlocksOfItsStages) {
  EXPECT_EQ(
      NaturalOf(testing::StagedResidualNetwork(), "Staged"),
      (Names{"conv1 elements", "layer2.block0 both", "layer3.block0 both", "layer4.block0 both", "32x1x1 both"}));
}

TEST(NaturalBottlenecks, OfAnInvertedResidualNetworkAreLinearProjections) {
  EXPECT_EQ(NaturalOf(testing::MobileNetwork(), "Mobile"),
            (Names{"stem_norm elements", "block1 elements", "block2 both", "block4 both", "32x1x1 both"}));
}

TEST(NaturalBottlenecks, OfADenseNetworkAreTransitions) {
  EXPECT_EQ(NaturalOf(testing::TransitionNetwork(), "Transitions"),
            (Names{"stem elements", "transition1 both", "transition2 both", "16x1x1 both"}));
}

TEST(NaturalBottlenecks, OfATransformerOfFullWidthIsItsClassTokenAlone) {
  EXPECT_EQ(NaturalOf(testing::ClassTokenNetwork(), "ClassToken"), (Names{"48 both"}));
}

// The multiply-adds of the halves at every split add up to those of the network, worked out by hand.
TEST(Splits, MultiplyAddsOfBothHalvesAddUpForPublishedArchitectures) {
  const auto check = [](const torch::jit::Module& net, const std::string& name, int64_t wanted) {
    const std::string path = testing::SaveNetwork(net, "macs_" + name);
    const Result<Backbone> backbone = Backbone::Load(path, {3, 32, 32});
    std::remove(path.c_str());
    ASSERT_TRUE(backbone.ok()) << backbone.status().message();
    int64_t before = 0;
    for (const SplitInfo& split : backbone->splits()) {
      EXPECT_EQ(split.macs_before + split.macs_after, wanted) << name << " at " << split.name;
      EXPECT_GE(split.macs_before, before) << name << " at " << split.name;
      before = split.macs_before;
    }
  };
  const auto inverted = [](int64_t in, int64_t out, int64_t side, int64_t stride, int64_t expansion) {
    const int64_t wide = in * expansion, area = side * side, small = area / (stride * stride);
    return in * wide * area + 9 * wide * small + wide * out * small;
  };
  check(testing::MobileNetwork(), "Mobile",
        3 * 8 * 9 * 256 + inverted(8, 4, 16, 1, 1) + inverted(4, 6, 16, 2, 6) + inverted(6, 6, 8, 1, 6) +
            inverted(6, 8, 8, 2, 6) + 8 * 32 * 16 + 320);
  const auto dense = [](int64_t area) { return (8 + 12) * 4 * 9 * area; };
  check(testing::TransitionNetwork(), "Transitions",
        3 * 8 * 9 * 256 + dense(256) + 16 * 8 * 256 + dense(64) + 16 * 8 * 64 + dense(16) + 160);
  const int64_t block = 65 * 48 * (144 + 48 + 96 + 96) + 2 * (2 * 65 * 65 * 24);
  check(testing::ClassTokenNetwork(), "ClassToken", 64 * 48 * 48 + 2 * block + 480);
}

}  // namespace
}  // namespace strait
