#include "training/graph_cut.h"

#include <gtest/gtest.h>
#include <torch/csrc/jit/ir/irparser.h>
#include <torch/torch.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "training/graph_profile.h"

namespace strait {
namespace {

std::shared_ptr<torch::jit::Graph> Parse(const std::string& body) {
  auto graph = std::make_shared<torch::jit::Graph>();
  std::unordered_map<std::string, torch::jit::Value*> values;
  torch::jit::parseIR("graph(%self : NoneType, %x : Tensor):\n  %one : int = prim::Constant[value=1]()\n" + body,
                      graph.get(), values);
  for (const auto& [name, value] : values) value->setDebugName(name);  // the parser renumbers
  return graph;
}

std::vector<std::string> Names(const std::vector<CutPoint>& cuts) {
  std::vector<std::string> names;
  for (const CutPoint& cut : cuts) names.push_back(cut.value);
  return names;
}

TEST(FindCuts, FindsValuesThatAloneCarryTheDataAndNeitherInputNorOutput) {
  const auto graph = Parse(R"(
  %a : Tensor = aten::relu(%x)
  %b : Tensor = aten::relu(%a)
  %c : Tensor = aten::add(%a, %b, %one)
  %d : Tensor = aten::relu(%c)
  return (%d))");
  EXPECT_EQ(Names(FindCuts(*graph)), (std::vector<std::string>{"a", "c"}));
}

TEST(FindCuts, AnInPlaceResultThatNobodyReadsStillEndsTheValue) {
  const auto graph = Parse(R"(
  %a : Tensor = aten::neg(%x)
  %r : Tensor = aten::relu_(%a)
  %b : Tensor = aten::add(%a, %one, %one)
  return (%b))");
  const std::vector<CutPoint> cuts = FindCuts(*graph);
  ASSERT_EQ(Names(cuts), (std::vector<std::string>{"a"}));
  EXPECT_EQ(cuts[0].num_nodes, 3u) << "behind relu_, not before it";
}

TEST(FindCuts, ASizeThatIsReadLaterCrossesBesideTheTensor) {
  const auto graph = Parse(R"(
  %zero : int = prim::Constant[value=0]()
  %n : int = aten::size(%x, %zero)
  %a : Tensor = aten::relu(%x)
  %minus : int = prim::Constant[value=-1]()
  %shape : int[] = prim::ListConstruct(%n, %minus)
  %b : Tensor = aten::view(%a, %shape)
  return (%b))");
  const std::vector<CutPoint> cuts = FindCuts(*graph);
  ASSERT_EQ(Names(cuts), (std::vector<std::string>{"a"}));
  ASSERT_EQ(cuts[0].sizes.size(), 1u);
  EXPECT_EQ(FindValue(*graph, cuts[0].sizes[0])->debugName(), "n");
}

TEST(CutGraph, TheTailComputesSizesFromItsOwnInput) {
  const auto graph = Parse(R"(
  %zero : int = prim::Constant[value=0]()
  %n : int = aten::size(%x, %zero)
  %a : Tensor = aten::relu(%x)
  %minus : int = prim::Constant[value=-1]()
  %shape : int[] = prim::ListConstruct(%n, %minus)
  %b : Tensor = aten::view(%a, %shape)
  return (%b))");
  const GraphHalves halves = CutGraph(*graph, FindCuts(*graph).at(0), {SizeRule{1, 0}});
  torch::jit::Module tail = ModuleOf(halves.tail, "Tail");
  for (const int64_t batch : {1, 2, 5}) {
    EXPECT_EQ(tail.forward({torch::rand({batch, 3, 4})}).toTensor().sizes(), (torch::IntArrayRef{batch, 12}));
  }
}

TEST(CutGraph, CopiesAnInputThatIsWrittenThroughAView) {
  const auto graph = Parse(R"(
  %minus : int = prim::Constant[value=-1]()
  %a : Tensor = aten::neg(%x)
  %shape : int[] = prim::ListConstruct(%minus)
  %v : Tensor = aten::view(%a, %shape)
  %w : Tensor = aten::relu_(%v)
  %b : Tensor = aten::add(%w, %one, %one)
  return (%b))");
  const std::vector<CutPoint> cuts = FindCuts(*graph);
  const auto cut = std::find_if(cuts.begin(), cuts.end(), [](const CutPoint& c) { return c.value == "a"; });
  ASSERT_NE(cut, cuts.end());
  torch::jit::Module tail = ModuleOf(CutGraph(*graph, *cut, {}).tail, "Tail");
  const torch::Tensor src = torch::tensor({-1.0f, 2.0f});
  EXPECT_TRUE(torch::equal(tail.forward({src}).toTensor(), torch::tensor({1.0f, 3.0f})));
  EXPECT_TRUE(torch::equal(src, torch::tensor({-1.0f, 2.0f})));
}

TEST(GraphProfile, CountsTransposedConvolutionsByTheirInput) {
  const auto graph = Parse(R"(
  %two : int[] = prim::Constant[value=[2, 2]]()
  %none : NoneType = prim::Constant()
  %zeros : int[] = prim::Constant[value=[0, 0]]()
  %ones : int[] = prim::Constant[value=[1, 1]]()
  %y : Tensor = aten::conv_transpose2d(%x, %x, %none, %two, %zeros, %zeros, %one, %ones)
  return (%y))");
  // As weight, x [2, 2, 3, 3] has 2 inputs, 2 outputs and a kernel of 3x3.
  const std::vector<int64_t> macs = CountGraphMacs(*graph, torch::jit::Module("Empty"), torch::zeros({2, 2, 3, 3}));
  EXPECT_EQ(macs.back(), (2 * 2 * 3 * 3) * (2 * 3 * 3));
}

}  // namespace
}  // namespace strait
