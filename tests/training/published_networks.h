// Small networks built as published ones are, with weights from a fixed seed; images of 32x32.
#pragma once

#include <torch/script.h>

#include <string>

#include "tests/training/test_networks.h"
#include "training/builtin_network.h"

namespace strait::testing {

// Without bias, as it stands in front of a batch norm.
inline torch::jit::Module Conv(const std::string& name, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                               int64_t groups, uint64_t seed) {
  torch::jit::Module module = NewModule(name);
  module.register_parameter("weight", SeededWeights({out, in / groups, kernel, kernel}, seed), false);
  const std::string s = std::to_string(stride), p = std::to_string(kernel / 2);
  module.define("def forward(self, x: Tensor) -> Tensor:\n  return torch.conv2d(x, self.weight, None, [" + s +
                ", " + s + "], [" + p + ", " + p + "], [1, 1], " + std::to_string(groups) + ")\n");
  return module;
}

inline torch::jit::Module BatchNorm(const std::string& name, int64_t channels, uint64_t seed) {
  torch::jit::Module module = NewModule(name);
  module.register_parameter("scale", SeededWeights({channels}, seed + 1) + 1, false);
  module.register_parameter("shift", SeededWeights({channels}, seed + 2), false);
  module.register_buffer("mean", SeededWeights({channels}, seed + 3));
  module.register_buffer("var", SeededWeights({channels}, seed + 4).abs() + 0.5);
  module.define(
      "def forward(self, x: Tensor) -> Tensor:\n"
      "  return torch.batch_norm(x, self.scale, self.shift, self.mean, self.var, self.training, 0.1, 1e-5, "
      "False)\n");
  return module;
}

// Sandler et al. 2018: 1x1 expansion, depthwise 3x3, linear 1x1 projection; added to the input where the shapes
// match.
inline torch::jit::Module InvertedBlock(const std::string& name, int64_t in, int64_t out, int64_t stride,
                                        int64_t expansion, uint64_t seed) {
  const int64_t wide = in * expansion;
  torch::jit::Module module = NewModule(name);
  module.register_module("expand", Conv(name + "_expand", in, wide, 1, 1, 1, seed));
  module.register_module("expand_norm", BatchNorm(name + "_expand_norm", wide, seed + 10));
  module.register_module("depthwise", Conv(name + "_depthwise", wide, wide, 3, stride, wide, seed + 20));
  module.register_module("depthwise_norm", BatchNorm(name + "_depthwise_norm", wide, seed + 30));
  module.register_module("project", Conv(name + "_project", wide, out, 1, 1, 1, seed + 40));
  module.register_module("project_norm", BatchNorm(name + "_project_norm", out, seed + 50));
  module.define(std::string(R"(
def forward(self, x: Tensor) -> Tensor:
  y = torch.hardtanh_(self.expand_norm.forward(self.expand.forward(x)), 0.0, 6.0)
  y = torch.hardtanh_(self.depthwise_norm.forward(self.depthwise.forward(y)), 0.0, 6.0)
  y = self.project_norm.forward(self.project.forward(y))
)") + (stride == 1 && in == out ? "  return x + y\n" : "  return y\n"));
  return module;
}

// MobileNetV2 in small: block2 and block4 halve the maps, block3 has a residual sum.
inline torch::jit::Module MobileNetwork() {
  torch::jit::Module net = NewModule("Mobile");
  net.register_module("stem", Conv("stem", 3, 8, 3, 2, 1, 200));
  net.register_module("stem_norm", BatchNorm("stem_norm", 8, 210));
  net.register_module("block1", InvertedBlock("block1", 8, 4, 1, 1, 300));
  net.register_module("block2", InvertedBlock("block2", 4, 6, 2, 6, 400));
  net.register_module("block3", InvertedBlock("block3", 6, 6, 1, 6, 500));
  net.register_module("block4", InvertedBlock("block4", 6, 8, 2, 6, 600));
  net.register_module("top", Conv("top", 8, 32, 1, 1, 1, 700));
  net.register_parameter("classes", SeededWeights({10, 32}, 710), false);
  net.define(R"(
def forward(self, x: Tensor) -> Tensor:
  x = torch.hardtanh_(self.stem_norm.forward(self.stem.forward(x)), 0.0, 6.0)
  x = self.block4.forward(self.block3.forward(self.block2.forward(self.block1.forward(x))))
  x = torch.hardtanh_(self.top.forward(x), 0.0, 6.0)
  return torch.linear(torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1), self.classes)
)");
  return net;
}

// Batch norm, ReLU and 3x3 convolution of all that the dense block has so far.
inline torch::jit::Module DenseLayer(const std::string& name, int64_t in, int64_t growth, uint64_t seed) {
  torch::jit::Module module = NewModule(name);
  module.register_module("norm", BatchNorm(name + "_norm", in, seed));
  module.register_module("conv", Conv(name + "_conv", in, growth, 3, 1, 1, seed + 10));
  module.define(R"(
def forward(self, parts: List[Tensor]) -> Tensor:
  return self.conv.forward(torch.relu_(self.norm.forward(torch.cat(parts, 1))))
)");
  return module;
}

inline torch::jit::Module DenseBlock(const std::string& name, int64_t in, int64_t growth, uint64_t seed) {
  torch::jit::Module module = NewModule(name);
  module.register_module("layer1", DenseLayer(name + "_layer1", in, growth, seed));
  module.register_module("layer2", DenseLayer(name + "_layer2", in + growth, growth, seed + 30));
  module.define(R"(
def forward(self, x: Tensor) -> Tensor:
  parts = [x]
  parts.append(self.layer1.forward(parts))
  parts.append(self.layer2.forward(parts))
  return torch.cat(parts, 1)
)");
  return module;
}

// Batch norm, ReLU, 1x1 convolution to half the channels, pooling to half the sides.
inline torch::jit::Module Transition(const std::string& name, int64_t in, uint64_t seed) {
  torch::jit::Module module = NewModule(name);
  module.register_module("norm", BatchNorm(name + "_norm", in, seed));
  module.register_module("conv", Conv(name + "_conv", in, in / 2, 1, 1, 1, seed + 10));
  module.define(R"(
def forward(self, x: Tensor) -> Tensor:
  return torch.avg_pool2d(self.conv.forward(torch.relu_(self.norm.forward(x))), [2, 2], [2, 2])
)");
  return module;
}

// DenseNet in small (Huang et al. 2017).
inline torch::jit::Module TransitionNetwork() {
  torch::jit::Module net = NewModule("Transitions");
  net.register_module("stem", Conv("stem", 3, 8, 3, 2, 1, 800));
  net.register_module("dense1", DenseBlock("dense1", 8, 4, 810));
  net.register_module("transition1", Transition("transition1", 16, 900));
  net.register_module("dense2", DenseBlock("dense2", 8, 4, 910));
  net.register_module("transition2", Transition("transition2", 16, 1000));
  net.register_module("dense3", DenseBlock("dense3", 8, 4, 1010));
  net.register_module("norm", BatchNorm("norm", 16, 1100));
  net.register_parameter("classes", SeededWeights({10, 16}, 1110), false);
  net.define(R"(
def forward(self, x: Tensor) -> Tensor:
  x = self.transition1.forward(self.dense1.forward(self.stem.forward(x)))
  x = self.dense3.forward(self.transition2.forward(self.dense2.forward(x)))
  x = torch.adaptive_avg_pool2d(torch.relu_(self.norm.forward(x)), [1, 1])
  return torch.linear(torch.flatten(x, 1), self.classes)
)");
  return net;
}

// A pre-norm block with two heads, its tensors batch x tokens x 48.
inline torch::jit::Module EncoderBlock(const std::string& name, uint64_t seed) {
  torch::jit::Module module = NewModule(name);
  module.register_parameter("qkv", SeededWeights({144, 48}, seed), false);
  module.register_parameter("out", SeededWeights({48, 48}, seed + 1), false);
  module.register_parameter("up", SeededWeights({96, 48}, seed + 2), false);
  module.register_parameter("down", SeededWeights({48, 96}, seed + 3), false);
  module.define(R"(
def forward(self, x: Tensor) -> Tensor:
  batch, tokens, width = x.shape
  y = torch.linear(torch.layer_norm(x, [48]), self.qkv)
  q, k, v = torch.unbind(y.reshape([batch, tokens, 3, 2, 24]).permute([2, 0, 3, 1, 4]), 0)
  weights = torch.softmax(torch.matmul(q, k.transpose(-2, -1)) * 0.2, -1)
  y = torch.matmul(weights, v).transpose(1, 2).reshape([batch, tokens, width])
  x = x + torch.linear(y, self.out)
  y = torch.gelu(torch.linear(torch.layer_norm(x, [48]), self.up))
  return x + torch.linear(y, self.down)
)");
  return module;
}

// A vision transformer with a class token (Dosovitskiy et al. 2021): 64 patches of 4x4 pixels, 48 numbers each, as
// many as the image has.
inline torch::jit::Module ClassTokenNetwork() {
  torch::jit::Module net = NewModule("ClassToken");
  net.register_parameter("patch", SeededWeights({48, 3, 4, 4}, 1201), false);
  net.register_parameter("class_token", SeededWeights({1, 1, 48}, 1202), false);
  net.register_parameter("position", SeededWeights({1, 65, 48}, 1203), false);
  net.register_module("block1", EncoderBlock("block1", 1210));
  net.register_module("block2", EncoderBlock("block2", 1220));
  net.register_parameter("classes", SeededWeights({10, 48}, 1230), false);
  net.define(R"(
def forward(self, x: Tensor) -> Tensor:
  n = x.shape[0]
  x = torch.conv2d(x, self.patch, None, [4, 4]).reshape([n, 48, 64]).permute([0, 2, 1])
  x = torch.cat([self.class_token.expand([n, -1, -1]), x], 1) + self.position
  x = self.block2.forward(self.block1.forward(x))
  return torch.linear(torch.layer_norm(x, [48])[:, 0], self.classes)
)");
  return net;
}

inline torch::jit::Module StagedResidualNetwork() {
  NetworkRecipe recipe;
  recipe.width = 4;
  recipe.blocks = 2;
  return MakeBuiltinNetwork(recipe, 32, 10, 1).value();
}

}  // namespace strait::testing
