// Tiny networks of the shapes that are hard to cut, written as TorchScript, with weights from a fixed seed.
#pragma once

#include <torch/script.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace strait::testing {

inline torch::jit::Module NewModule(const std::string& name) {
  torch::jit::Module module(name);
  module.register_attribute("training", c10::BoolType::get(), true);
  return module;
}

inline torch::Tensor SeededWeights(const std::vector<int64_t>& shape, uint64_t seed) {
  return torch::randn(shape, at::detail::createCPUGenerator(seed)) * 0.3;
}

// conv 3x3 with padding and batch norm, as one module.
inline torch::jit::Module ConvBn(const std::string& name, int64_t in, int64_t out, int64_t groups, uint64_t seed) {
  torch::jit::Module module = NewModule(name);
  module.register_parameter("weight", SeededWeights({out, in / groups, 3, 3}, seed), false);
  module.register_parameter("scale", SeededWeights({out}, seed + 1) + 1, false);
  module.register_parameter("shift", SeededWeights({out}, seed + 2), false);
  module.register_buffer("mean", SeededWeights({out}, seed + 3));
  module.register_buffer("var", SeededWeights({out}, seed + 4).abs() + 0.5);
  module.define(
      "def forward(self, x: Tensor) -> Tensor:\n  y = torch.conv2d(x, self.weight, None, [1, 1], [1, 1], [1, 1], " +
      std::to_string(groups) +
      ")\n  return torch.batch_norm(y, self.scale, self.shift, self.mean, self.var, self.training, 0.1, 1e-5, "
      "False)\n");
  return module;
}

// One convolution whose result changes in place, then an in-place sum and an in-place ReLU.
inline torch::jit::Module ResidualBlock(const std::string& name, int64_t channels, uint64_t seed) {
  torch::jit::Module module = NewModule(name);
  module.register_module("conv", ConvBn(name + "_conv", channels, channels, 1, seed));
  module.define(R"(
def forward(self, x: Tensor) -> Tensor:
  y = torch.relu_(self.conv.forward(x))
  y += x
  return torch.relu_(y)
)");
  return module;
}

inline torch::jit::Module ResidualNetwork() {
  torch::jit::Module net = NewModule("Residual");
  net.register_module("stem", ConvBn("stem", 3, 4, 1, 10));
  net.register_module("layer1", ResidualBlock("layer1", 4, 20));
  net.register_module("layer2", ResidualBlock("layer2", 4, 30));
  // The stem's ReLU writes into the value that a cut behind the stem gives away.
  net.define(R"(
def forward(self, x: Tensor) -> Tensor:
  x = self.stem.forward(x)
  torch.relu_(x)
  x = self.layer2.forward(self.layer1.forward(x))
  return torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1)
)");
  return net;
}

// Writes to the image it is given.
inline torch::jit::Module InPlaceInputNetwork() {
  torch::jit::Module net = NewModule("InPlaceInput");
  net.register_module("stem", ConvBn("stem", 3, 4, 1, 40));
  net.define(R"(
def forward(self, x: Tensor) -> Tensor:
  x.sub_(0.5)
  y = self.stem.forward(x)
  z = y.view([-1, 64])
  z.mul_(2.0)
  return y.mean([2, 3])
)");
  return net;
}

inline torch::jit::Module InvertedResidualNetwork() {
  torch::jit::Module net = NewModule("Inverted");
  net.register_module("expand", ConvBn("expand", 3, 6, 1, 50));
  net.register_module("depthwise", ConvBn("depthwise", 6, 6, 6, 60));
  net.register_module("project", ConvBn("project", 6, 3, 1, 70));
  net.define(R"(
def forward(self, x: Tensor) -> Tensor:
  y = torch.hardtanh_(self.expand.forward(x), 0.0, 6.0)
  y = torch.hardtanh_(self.depthwise.forward(y), 0.0, 6.0)
  y = self.project.forward(y)
  z = torch.relu(x + y)
  return z.mean([2, 3])
)");
  return net;
}

// Three outputs concatenated: while they grow, more than one value is live.
inline torch::jit::Module DenseNetwork() {
  torch::jit::Module net = NewModule("Dense");
  net.register_module("a", ConvBn("a", 3, 2, 1, 80));
  net.register_module("b", ConvBn("b", 5, 2, 1, 90));
  net.register_module("join", ConvBn("join", 7, 4, 1, 100));
  net.define(R"(
def forward(self, x: Tensor) -> Tensor:
  y = torch.relu(self.a.forward(x))
  z = torch.relu(self.b.forward(torch.cat([x, y], 1)))
  w = self.join.forward(torch.cat([x, y, z], 1))
  return torch.relu_(w).mean([2, 3])
)");
  return net;
}

inline torch::jit::Module Attention(const std::string& name, uint64_t seed) {
  torch::jit::Module module = NewModule(name);
  module.register_parameter("qkv", SeededWeights({24, 8}, seed), false);
  module.register_parameter("out", SeededWeights({8, 8}, seed + 1), false);
  module.define(R"(
def forward(self, x: Tensor, batch: int) -> Tensor:
  qkv = torch.linear(x, self.qkv).view([batch, 16, 3, 2, 4]).permute([2, 0, 3, 1, 4])
  weights = torch.softmax(torch.matmul(qkv[0], qkv[1].transpose(-2, -1)) * 0.5, -1)
  y = torch.matmul(weights, qkv[2]).transpose(1, 2).reshape([batch, 16, 8])
  return x + torch.linear(y, self.out)
)");
  return module;
}

// Tokens; the image's batch size is used to the end, as tracing leaves it.
inline torch::jit::Module TokenNetwork() {
  torch::jit::Module net = NewModule("Tokens");
  net.register_parameter("patch", SeededWeights({8, 3, 2, 2}, 110), false);
  net.register_parameter("position", SeededWeights({1, 16, 8}, 111), false);
  net.register_module("block0", Attention("block0", 112));
  net.register_module("block1", Attention("block1", 114));
  net.define(R"(
def forward(self, x: Tensor) -> Tensor:
  batch = x.size(0)
  y = torch.conv2d(x, self.patch, None, [2, 2], [0, 0], [1, 1], 1)
  y = y.flatten(2).transpose(1, 2) + self.position
  y = self.block0.forward(y, batch)
  y = self.block1.forward(y, batch)
  return torch.softmax(y.mean([1]).view([batch, 8]), -1)
)");
  return net;
}

// Saves under the test's temporary folder and returns the path.
inline std::string SaveNetwork(const torch::jit::Module& module, const std::string& name) {
  const auto path =
      std::filesystem::temp_directory_path() / ("strait_" + name + "_" + std::to_string(getpid()) + ".pt");
  module.save(path.string());
  return path.string();
}

}  // namespace strait::testing
