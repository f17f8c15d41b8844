#include "training/backbone.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "tests/training/published_networks.h"

namespace strait {
namespace {

using testing::SaveNetwork;

// A network on disk for the length of a test.
class SavedNetwork {
 public:
  SavedNetwork(const torch::jit::Module& module, const std::string& name) : path_(SaveNetwork(module, name)) {}
  ~SavedNetwork() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Backbone LoadOrDie(const std::string& path, const Shape& input) {
  Result<Backbone> backbone = Backbone::Load(path, input);
  EXPECT_TRUE(backbone.ok()) << backbone.status().message();
  if (!backbone.ok()) std::abort();
  return std::move(backbone).value();
}

torch::Tensor Input(int64_t batch, int64_t side) {
  return torch::rand({batch, 3, side, side}, at::detail::createCPUGenerator(7));
}

torch::Tensor Forward(torch::jit::Module module, const torch::Tensor& src) {
  torch::NoGradGuard no_grad;
  return module.forward({src}).toTensor();
}

Shape SampleShapeOf(const torch::Tensor& tensor) { return {tensor.sizes().begin() + 1, tensor.sizes().end()}; }

std::vector<std::string> Names(const Backbone& backbone) {
  std::vector<std::string> names;
  for (const SplitInfo& split : backbone.splits()) names.push_back(split.name);
  return names;
}

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

struct Case {
  const char* name;
  torch::jit::Module (*make)();
  size_t min_splits;
  int64_t side = 8;
};

class CutTest : public ::testing::TestWithParam<Case> {};

TEST_P(CutTest, HeadThenTailGivesTheBitsOfTheWholeAtEverySplitAlsoAfterSaveAndLoad) {
  const SavedNetwork file(GetParam().make(), GetParam().name);
  const Backbone backbone = LoadOrDie(file.path(), {3, GetParam().side, GetParam().side});
  EXPECT_GE(backbone.splits().size(), GetParam().min_splits);
  const torch::Tensor src = Input(3, GetParam().side);
  const torch::Tensor whole = Forward(backbone.network(), src.clone());
  for (const SplitInfo& split : backbone.splits()) {
    const Result<SplitNetwork> cut = backbone.Cut(split.name);
    ASSERT_TRUE(cut.ok()) << cut.status().message();
    const torch::Tensor features = Forward(cut->head, src);
    EXPECT_EQ(SampleShapeOf(features), split.shape) << split.name;
    EXPECT_TRUE(torch::equal(Forward(cut->tail, features), whole)) << split.name;
    const torch::jit::Module head = ToDevice(cut->head, torch::kCPU);
    const torch::jit::Module tail = ToDevice(cut->tail, torch::kCPU);
    EXPECT_TRUE(torch::equal(Forward(tail, Forward(head, src)), whole)) << split.name;
  }
}

TEST_P(CutTest, NeitherHalfWritesToATensorOfItsCaller) {
  const SavedNetwork file(GetParam().make(), GetParam().name);
  const Backbone backbone = LoadOrDie(file.path(), {3, GetParam().side, GetParam().side});
  const torch::Tensor src = Input(2, GetParam().side);
  const torch::Tensor src_before = src.clone();
  Forward(backbone.network(), src);
  EXPECT_TRUE(torch::equal(src, src_before)) << "whole network";
  for (const SplitInfo& split : backbone.splits()) {
    const Result<SplitNetwork> cut = backbone.Cut(split.name);
    ASSERT_TRUE(cut.ok()) << cut.status().message();
    const torch::Tensor features = Forward(cut->head, src);
    EXPECT_TRUE(torch::equal(src, src_before)) << "head at " << split.name;
    const torch::Tensor features_before = features.clone();
    Forward(cut->tail, features);
    EXPECT_TRUE(torch::equal(features, features_before)) << "tail at " << split.name;
  }
}

TEST_P(CutTest, FrozenNetworkAgreesWithTheUnfrozenOne) {
  torch::jit::Module unfrozen = GetParam().make();
  unfrozen.eval();
  const SavedNetwork file(unfrozen, GetParam().name);
  const Backbone backbone = LoadOrDie(file.path(), {3, GetParam().side, GetParam().side});
  const torch::Tensor src = Input(2, GetParam().side);
  const torch::Tensor wanted = Forward(unfrozen, src.clone());
  const torch::Tensor got = Forward(backbone.network(), src);
  EXPECT_LE((got - wanted).abs().max().item<double>(), 1e-4 * wanted.abs().max().item<double>());
}

TEST_P(CutTest, ConstantsKeepTheirHashThroughAForwardABackwardAndASave) {
  const SavedNetwork file(GetParam().make(), GetParam().name);
  const Backbone backbone = LoadOrDie(file.path(), {3, GetParam().side, GetParam().side});
  SplitNetwork cut = backbone.Cut(backbone.splits()[0].name).value();
  const std::string before = HashConstants(cut.tail);
  torch::Tensor features = Forward(cut.head, Input(2, GetParam().side)).detach().requires_grad_();
  cut.tail.forward({features}).toTensor().square().sum().backward();
  EXPECT_TRUE(features.grad().defined());
  EXPECT_EQ(HashConstants(cut.tail), before);
  EXPECT_EQ(HashConstants(ToDevice(cut.tail, torch::kCPU)), before);
}

INSTANTIATE_TEST_SUITE_P(Networks, CutTest,
                         ::testing::Values(Case{"Residual", testing::ResidualNetwork, 5},
                                           Case{"InPlaceInput", testing::InPlaceInputNetwork, 1},
                                           Case{"Inverted", testing::InvertedResidualNetwork, 1},
                                           Case{"Dense", testing::DenseNetwork, 2},
                                           Case{"Tokens", testing::TokenNetwork, 5},
                                           Case{"StagedResidual", testing::StagedResidualNetwork, 12, 32},
                                           Case{"Mobile", testing::MobileNetwork, 20, 32},
                                           Case{"Transitions", testing::TransitionNetwork, 12, 32},
                                           Case{"ClassToken", testing::ClassTokenNetwork, 6, 32}),
                         [](const ::testing::TestParamInfo<Case>& test) { return std::string(test.param.name); });

TEST(Backbone, NamesASplitByTheOutermostModuleThatReturnsIt) {
  NetworkRecipe recipe;
  recipe.width = 4;
  recipe.blocks = 2;
  const SavedNetwork file(MakeBuiltinNetwork(recipe, 64, 10, 1).value(), "Names");
  const Backbone backbone = LoadOrDie(file.path(), {3, 16, 16});
  const std::vector<std::string> names = Names(backbone);
  for (const char* name : {"conv1", "layer1", "layer1.block0", "layer2.block0", "layer2", "layer3", "layer4"}) {
    EXPECT_TRUE(Has(names, name)) << name;
  }
  EXPECT_FALSE(Has(names, "layer2.block1")) << "layer2 returns the same value and lies further out";
  EXPECT_FALSE(Has(names, "fc")) << "the output is no split";
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end()) << "a name stands twice";
}

TEST(Backbone, NoSplitLiesInsideAResidualSumOrADenseBlock) {
  const auto names_of = [](const torch::jit::Module& net, const char* name) {
    const SavedNetwork file(net, name);
    return Names(LoadOrDie(file.path(), {3, 32, 32}));
  };
  const std::vector<std::string> mobile = names_of(testing::MobileNetwork(), "InsideMobile");
  for (const char* name : {"block1", "block2.depthwise_norm", "block2", "block3", "block4.expand_norm", "block4"}) {
    EXPECT_TRUE(Has(mobile, name)) << name;
  }
  for (const char* name : {"block3.expand_norm", "block3.depthwise_norm", "block3.project_norm"}) {
    EXPECT_FALSE(Has(mobile, name)) << name;
  }
  const std::vector<std::string> dense = names_of(testing::TransitionNetwork(), "InsideDense");
  for (const char* name : {"stem", "dense1", "transition1.conv", "transition1", "dense2", "dense3"}) {
    EXPECT_TRUE(Has(dense, name)) << name;
  }
  for (const char* name : {"dense1.layer1", "dense2.layer1.norm", "dense3.layer2"}) {
    EXPECT_FALSE(Has(dense, name)) << name;
  }
  const std::vector<std::string> tokens = names_of(testing::ClassTokenNetwork(), "InsideTokens");
  for (const char* name : {"block1", "block2"}) EXPECT_TRUE(Has(tokens, name)) << name;
}

TEST(Backbone, CountsMultiplyAddsAndParametersOfBothSides) {
  NetworkRecipe recipe;
  recipe.width = 4;
  recipe.blocks = 1;
  const SavedNetwork file(MakeBuiltinNetwork(recipe, 64, 10, 1).value(), "Counts");
  const Backbone backbone = LoadOrDie(file.path(), {3, 16, 16});
  const SplitInfo split = backbone.Cut("layer1").value().info;
  EXPECT_EQ(split.shape, (Shape{4, 8, 8}));
  EXPECT_EQ(split.elements, 256);
  const int64_t stem = 4 * 8 * 8 * 3 * 9;
  const int64_t block = 2 * (4 * 8 * 8 * 4 * 9);
  EXPECT_EQ(split.macs_before, stem + block);
  EXPECT_EQ(split.params_before, (4 * 3 * 9 + 4) + 2 * (4 * 4 * 9 + 4));  // batch norms folded into biases
  int64_t after = 0;
  int64_t side = 8;
  for (int64_t in = 4; in <= 16; in *= 2) {
    side /= 2;
    after += 2 * in * side * side * (in * 9 + 2 * in * 9 + in);  // two 3x3 and the shortcut
  }
  EXPECT_EQ(split.macs_after, after + 32 * 10);
}

TEST(Backbone, CountsLinearLayersAndMatrixProducts) {
  const SavedNetwork file(testing::TokenNetwork(), "TokenCounts");
  const Backbone backbone = LoadOrDie(file.path(), {3, 8, 8});
  const SplitInfo& last = backbone.splits().back();
  const int64_t patch = 16 * 8 * 3 * 4;
  const int64_t block = 16 * 8 * 24 + 2 * (2 * 16 * 16 * 4) + 16 * 8 * 8;
  EXPECT_EQ(last.macs_before + last.macs_after, patch + 2 * block);
}

TEST(Backbone, AnUnknownSplitListsTheValidOnesNearestFirst) {
  const SavedNetwork file(testing::ResidualNetwork(), "Unknown");
  const Backbone backbone = LoadOrDie(file.path(), {3, 8, 8});
  const Result<SplitNetwork> cut = backbone.Cut("layr2");
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.status().code(), StatusCode::kInvalidArgument);
  const std::string& message = cut.status().message();
  EXPECT_NE(message.find("no split \"layr2\"; it has layer2, layer1, "), std::string::npos) << message;
}

TEST(Backbone, HashDependsOnWeightsAndNotOnTheInputShape) {
  NetworkRecipe recipe;
  recipe.width = 4;
  const SavedNetwork a(MakeBuiltinNetwork(recipe, 64, 10, 1).value(), "HashA");
  const SavedNetwork b(MakeBuiltinNetwork(recipe, 64, 10, 2).value(), "HashB");
  const std::string hash = LoadOrDie(a.path(), {3, 16, 16}).hash();
  EXPECT_EQ(hash.size(), 16u);
  EXPECT_EQ(LoadOrDie(a.path(), {3, 32, 32}).hash(), hash);
  EXPECT_NE(LoadOrDie(b.path(), {3, 16, 16}).hash(), hash);
}

void ExpectError(const Result<Backbone>& result, StatusCode code, const std::string& word) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), code) << result.status().message();
  EXPECT_NE(result.status().message().find(word), std::string::npos) << result.status().message();
  EXPECT_EQ(result.status().message().find('\n'), std::string::npos) << result.status().message();
}

TEST(Backbone, BadFilesAndShapesAreOneLineErrors) {
  ExpectError(Backbone::Load("/nowhere/net.pt", {3, 8, 8}), StatusCode::kIo, "/nowhere/net.pt");
  const std::string path = ::testing::TempDir() + "strait_not_a_network.pt";
  std::ofstream(path) << "text";
  ExpectError(Backbone::Load(path, {3, 8, 8}), StatusCode::kCorrupt, path);
  std::remove(path.c_str());
  const SavedNetwork file(testing::ResidualNetwork(), "BadShape");
  ExpectError(Backbone::Load(file.path(), {4, 8, 8}), StatusCode::kInvalidArgument,
              "does not run on an input of 4x8x8");
  ExpectError(Backbone::Load(file.path(), {3, 0, 8}), StatusCode::kInvalidArgument, "positive sizes");
}

TEST(Backbone, ANetworkOfOneBatchSizeIsRefused) {
  torch::jit::Module net = testing::NewModule("FixedBatch");
  net.define("def forward(self, x: Tensor) -> Tensor:\n  return torch.relu(x).view([1, 192])\n");
  const SavedNetwork file(net, "FixedBatch");
  ExpectError(Backbone::Load(file.path(), {3, 8, 8}), StatusCode::kInvalidArgument, "fixes its batch size");
}

TEST(Backbone, SeveralInputsOrOutputsAreUnsupported) {
  torch::jit::Module two = testing::NewModule("TwoInputs");
  two.define("def forward(self, x: Tensor, y: Tensor) -> Tensor:\n  return x + y\n");
  const SavedNetwork two_file(two, "TwoInputs");
  ExpectError(Backbone::Load(two_file.path(), {3, 8, 8}), StatusCode::kUnsupported, "forward takes 2 inputs");
  torch::jit::Module pair = testing::NewModule("Pair");
  pair.define("def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:\n  return (x + 1, x)\n");
  const SavedNetwork pair_file(pair, "Pair");
  ExpectError(Backbone::Load(pair_file.path(), {3, 8, 8}), StatusCode::kUnsupported, "returns (Tensor, Tensor)");
}

}  // namespace
}  // namespace strait
