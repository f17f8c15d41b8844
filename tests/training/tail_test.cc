#include "training/tail.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/training/test_networks.h"

namespace strait {
namespace {

// Stages after the cut that are overwritten in place once the next one is made.
torch::jit::Module Stages() {
  torch::jit::Module net = testing::NewModule("Stages");
  net.register_module("stem", testing::ConvBn("stem", 3, 4, 1, 10));
  net.define(R"(
def forward(self, x: Tensor) -> Tensor:
  x = torch.max_pool2d(torch.relu(self.stem.forward(x)), [2, 2])
  y = torch.max_pool2d(x, [2, 2])
  y.mul_(3.0)
  y.sub_(1.0)
  z = torch.max_pool2d(y, [2, 2])
  y.zero_()
  z.mul_(2.0)
  return z.flatten(1).mul_(0.5)
)");
  return net;
}

SplitNetwork CutAtFirst(const torch::jit::Module& net, const Shape& stage) {
  const std::string path = testing::SaveNetwork(net, "tail");
  Result<Backbone> backbone = Backbone::Load(path, {3, 16, 16});
  std::filesystem::remove(path);
  EXPECT_TRUE(backbone.ok()) << backbone.status().ToString();
  for (const SplitInfo& split : backbone->splits()) {
    if (split.shape == stage) return *backbone->Cut(split.name);
  }
  ADD_FAILURE() << "no split of the shape";
  return {};
}

TEST(Tail, HandsOutTheLastValueOfEachShapeAsItWasBeforeItWasOverwritten) {
  const SplitNetwork network = CutAtFirst(Stages(), {4, 8, 8});
  const Result<Tail> tail = Tail::Create(network, /*tapped=*/true, torch::kCPU);
  ASSERT_TRUE(tail.ok()) << tail.status().ToString();
  torch::manual_seed(1);
  const torch::Tensor features = torch::randn({3, 4, 8, 8});
  const torch::Tensor y = torch::max_pool2d(features, {2, 2}) * 3 - 1;
  const torch::Tensor z = torch::max_pool2d(y, {2, 2}) * 2;

  const Tail::Output output = tail->Run(features.clone());
  torch::jit::Module untapped = network.tail;
  EXPECT_TRUE(torch::equal(output.logits, untapped.forward({features.clone()}).toTensor()));
  EXPECT_TRUE(torch::allclose(output.logits, z.flatten(1) * 0.5));
  ASSERT_EQ(output.stages.size(), 3u);
  EXPECT_TRUE(torch::allclose(output.stages[0], y));
  EXPECT_TRUE(torch::allclose(output.stages[1], z));
  EXPECT_TRUE(torch::allclose(output.stages[2], z.flatten(1)));
}

TEST(Tail, LeavesOutWhatDoesNotBeginWithTheBatch) {
  torch::jit::Module net = testing::NewModule("Turned");
  net.register_module("stem", testing::ConvBn("stem", 3, 4, 1, 10));
  net.define(R"(
def forward(self, x: Tensor) -> Tensor:
  x = torch.max_pool2d(torch.relu(self.stem.forward(x)), [2, 2])
  x = torch.transpose(torch.flatten(x, 2), 0, 2)
  x = x * 3.0
  return torch.mean(torch.transpose(x, 0, 2), [2])
)");
  const Result<Tail> tail = Tail::Create(CutAtFirst(net, {4, 8, 8}), /*tapped=*/true, torch::kCPU);
  ASSERT_TRUE(tail.ok()) << tail.status().ToString();
  const Tail::Output output = tail->Run(torch::randn({3, 4, 8, 8}));
  ASSERT_GT(output.stages.size(), 0u);
  for (const torch::Tensor& stage : output.stages) EXPECT_EQ(stage.size(0), 3) << stage.sizes();
}

TEST(Tail, CarriesGradientsThroughEveryStageToItsInput) {
  const SplitNetwork network = CutAtFirst(Stages(), {4, 8, 8});
  const Result<Tail> tail = Tail::Create(network, /*tapped=*/true, torch::kCPU);
  ASSERT_TRUE(tail.ok()) << tail.status().ToString();
  for (const size_t stage : {0, 1, 2}) {
    const torch::Tensor features = torch::randn({2, 4, 8, 8}, torch::requires_grad());
    tail->Run(features).stages.at(stage).square().sum().backward();
    EXPECT_GT(features.grad().abs().sum().item<double>(), 0);
  }
}

TEST(Tail, UntappedHasNoStages) {
  const Result<Tail> tail = Tail::Create(CutAtFirst(Stages(), {4, 8, 8}), /*tapped=*/false, torch::kCPU);
  ASSERT_TRUE(tail.ok()) << tail.status().ToString();
  EXPECT_TRUE(tail->Run(torch::ones({1, 4, 8, 8})).stages.empty());
}

}  // namespace
}  // namespace strait
