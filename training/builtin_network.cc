#include "training/builtin_network.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "entropy/error.h"

namespace strait {
namespace {

using torch::jit::Module;

// Modules with parameters of their own; every one gets its own class, for each has its own constants.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(uint64_t seed) : generator_(at::detail::createCPUGenerator(seed)) {}

  Module Resnet(const NetworkRecipe& recipe, int64_t classes) {
    Module net = NewModule("BuiltinNetwork");
    std::string forward = Encoder(net, recipe, 4);
    net.register_module("fc", Linear("fc", recipe.width << 3, classes));
    forward += "  x = torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1)\n  return self.fc.forward(x)\n";
    net.define(forward);
    return net;
  }

  Module EncoderDecoder(const NetworkRecipe& recipe, int64_t classes) {
    Module net = NewModule("BuiltinSegmenter");
    std::string forward = Encoder(net, recipe, 3);
    int64_t in = recipe.width << 2;
    for (int stage = 1; stage <= 3; ++stage) {
      const std::string name = fmt::format("up{}", stage);
      const int64_t out = std::max<int64_t>(in / 2, recipe.width);
      net.register_module(name, Up(name, in, out));
      forward += fmt::format("  x = self.{}.forward(x)\n", name);
      in = out;
    }
    net.register_module("classify", Conv("classify", in, classes + 1, 1, 1));
    net.define(forward + "  return self.classify.forward(x)\n");
    return net;
  }

  Module Vit(const NetworkRecipe& recipe, int64_t side, int64_t classes) {
    constexpr int64_t kPatch = 8;
    const int64_t width = int64_t{recipe.width} * 4, tokens = (side / kPatch) * (side / kPatch);
    Module net = NewModule("BuiltinVit");
    net.register_module("patches", Conv("patches", 3, width, kPatch, kPatch, 0));
    AddParameter(net, "position", torch::randn({1, tokens, width}, generator_) * 0.02);
    std::string forward = R"(
def forward(self, x: Tensor) -> Tensor:
  x = self.patches.forward(x).flatten(2).transpose(1, 2) + self.position
)";
    for (int block = 1; block <= 4 * recipe.blocks; ++block) {
      const std::string name = fmt::format("block{}", block);
      net.register_module(name, Attention(name, width));
      forward += fmt::format("  x = self.{}.forward(x)\n", name);
    }
    net.register_module("norm", LayerNorm("norm", width));
    net.register_module("fc", Linear("fc", width, classes));
    net.define(forward + "  return self.fc.forward(self.norm.forward(x).mean([1]))\n");
    return net;
  }

 private:
  static Module NewModule(const std::string& class_name) {
    Module module(class_name);
    module.register_attribute("training", c10::BoolType::get(), true);  // what Module::train and eval switch
    return module;
  }

  // Stem and stages; the first lines of a forward that leaves their output in x.
  std::string Encoder(Module& net, const NetworkRecipe& recipe, int stages) {
    int64_t width = recipe.width;
    net.register_module("conv1", Conv("conv1", 3, width, 3, 2));
    net.register_module("bn1", BatchNorm("bn1", width, 1));
    std::string forward =
        "def forward(self, x: Tensor) -> Tensor:\n  x = torch.relu(self.bn1.forward(self.conv1.forward(x)))\n";
    int64_t in = width;
    for (int stage = 1; stage <= stages; ++stage) {
      const std::string name = fmt::format("layer{}", stage);
      net.register_module(name, Stage(name, in, width, stage == 1 ? 1 : 2, recipe.blocks));
      forward += fmt::format("  x = self.{}.forward(x)\n", name);
      in = width;
      width *= 2;
    }
    return forward;
  }

  static void AddParameter(Module& module, const std::string& name, torch::Tensor value) {
    module.register_parameter(name, value.set_requires_grad(true), false);
  }

  Module Conv(const std::string& name, int64_t in, int64_t out, int64_t kernel, int64_t stride) {
    return Conv(name, in, out, kernel, stride, kernel / 2);
  }
  Module Conv(const std::string& name, int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding) {
    Module module = NewModule(name);
    const double deviation = std::sqrt(2.0 / static_cast<double>(out * kernel * kernel));
    AddParameter(module, "weight", torch::randn({out, in, kernel, kernel}, generator_) * deviation);
    module.define(fmt::format(R"(
def forward(self, x: Tensor) -> Tensor:
  return torch.conv2d(x, self.weight, None, [{0}, {0}], [{1}, {1}], [1, 1], 1)
)",
                              stride, padding));
    return module;
  }

  Module BatchNorm(const std::string& name, int64_t channels, double scale) {
    Module module = NewModule(name);
    AddParameter(module, "weight", torch::full({channels}, scale));
    AddParameter(module, "bias", torch::zeros({channels}));
    module.register_buffer("running_mean", torch::zeros({channels}));
    module.register_buffer("running_var", torch::ones({channels}));
    module.define(R"(
def forward(self, x: Tensor) -> Tensor:
  return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, self.training, 0.1, 1e-5, False)
)");
    return module;
  }

  Module Linear(const std::string& name, int64_t in, int64_t out) {
    Module module = NewModule(name);
    const double deviation = 1.0 / std::sqrt(static_cast<double>(in));
    AddParameter(module, "weight", torch::randn({out, in}, generator_) * deviation);
    AddParameter(module, "bias", torch::zeros({out}));
    module.define("def forward(self, x: Tensor) -> Tensor:\n  return torch.linear(x, self.weight, self.bias)\n");
    return module;
  }

  Module LayerNorm(const std::string& name, int64_t channels) {
    Module module = NewModule(name);
    AddParameter(module, "weight", torch::ones({channels}));
    AddParameter(module, "bias", torch::zeros({channels}));
    module.define(
        fmt::format("def forward(self, x: Tensor) -> Tensor:\n  return torch.layer_norm(x, [{}], self.weight, "
                    "self.bias, 1e-5)\n",
                    channels));
    return module;
  }

  Module Attention(const std::string& name, int64_t width) {
    constexpr int64_t kHeads = 4;
    Module module = NewModule(name);
    module.register_module("norm1", LayerNorm(name + "_norm1", width));
    module.register_module("qkv", Linear(name + "_qkv", width, 3 * width));
    module.register_module("merge", Linear(name + "_merge", width, width));
    module.register_module("norm2", LayerNorm(name + "_norm2", width));
    module.register_module("widen", Linear(name + "_widen", width, 2 * width));
    module.register_module("narrow", Linear(name + "_narrow", 2 * width, width));
    module.define(fmt::format(R"(
def forward(self, x: Tensor) -> Tensor:
  y = self.qkv.forward(self.norm1.forward(x))
  y = y.view([y.size(0), y.size(1), 3, {0}, {1}]).permute([2, 0, 3, 1, 4])
  shares = torch.softmax(torch.matmul(y[0], y[1].transpose(-2, -1)) * {2}, -1)
  x = x + self.merge.forward(torch.matmul(shares, y[2]).transpose(1, 2).flatten(2))
  return x + self.narrow.forward(torch.gelu(self.widen.forward(self.norm2.forward(x))))
)",
                              kHeads, width / kHeads, 1 / std::sqrt(static_cast<double>(width) / kHeads)));
    return module;
  }

  Module Up(const std::string& name, int64_t in, int64_t out) {
    Module module = NewModule(name);
    module.register_module("conv", Conv(name + "_conv", in, out, 3, 1));
    module.register_module("bn", BatchNorm(name + "_bn", out, 1));
    module.define(R"(
def forward(self, x: Tensor) -> Tensor:
  x = torch.upsample_nearest2d(x, None, [2.0, 2.0])
  return torch.relu(self.bn.forward(self.conv.forward(x)))
)");
    return module;
  }

  Module Block(const std::string& name, int64_t in, int64_t out, int64_t stride) {
    Module module = NewModule(name);
    module.register_module("conv1", Conv(name + "_conv1", in, out, 3, stride));
    module.register_module("bn1", BatchNorm(name + "_bn1", out, 1));
    module.register_module("conv2", Conv(name + "_conv2", out, out, 3, 1));
    module.register_module("bn2", BatchNorm(name + "_bn2", out, 0.2));
    std::string shortcut = "x";
    if (in != out || stride != 1) {
      module.register_module("down_conv", Conv(name + "_down_conv", in, out, 1, stride));
      module.register_module("down_bn", BatchNorm(name + "_down_bn", out, 1));
      shortcut = "self.down_bn.forward(self.down_conv.forward(x))";
    }
    module.define(fmt::format(R"(
def forward(self, x: Tensor) -> Tensor:
  y = torch.relu(self.bn1.forward(self.conv1.forward(x)))
  y = self.bn2.forward(self.conv2.forward(y))
  return torch.relu(y + {})
)",
                              shortcut));
    return module;
  }

  // Blocks are called block0, block1, ...: TorchScript source cannot name an attribute "0".
  Module Stage(const std::string& name, int64_t in, int64_t out, int64_t stride, int blocks) {
    Module module = NewModule(name);
    std::string forward = "def forward(self, x: Tensor) -> Tensor:\n";
    for (int i = 0; i < blocks; ++i) {
      const std::string block = fmt::format("block{}", i);
      module.register_module(block, Block(name + "_" + block, i == 0 ? in : out, out, i == 0 ? stride : 1));
      forward += fmt::format("  x = self.{}.forward(x)\n", block);
    }
    module.define(forward + "  return x\n");
    return module;
  }

  at::Generator generator_;
};

}  // namespace

Result<Module> MakeBuiltinNetwork(const NetworkRecipe& network, int64_t side, int64_t classes, uint64_t seed) {
  NetworkBuilder builder(seed);
  switch (network.kind) {
    case NetworkKind::kResnet:
      return builder.Resnet(network, classes);
    case NetworkKind::kEncoderDecoder:
      return builder.EncoderDecoder(network, classes);
    case NetworkKind::kVit:
      if (side > 0 && side % 8 == 0) return builder.Vit(network, side, classes);
      return Error(StatusCode::kInvalidArgument, "network.kind \"vit\": images of side ", side,
                   ", wanted a multiple of 8; set data.resize and data.crop");
  }
  return Error(StatusCode::kInternal, "network.kind ", static_cast<int>(network.kind));
}

}  // namespace strait
