#include "training/builtin_network.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <cmath>
#include <string>

namespace strait {
namespace {

using torch::jit::Module;

// Modules with parameters of their own; every one gets its own class, for each has its own constants.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(uint64_t seed) : generator_(at::detail::createCPUGenerator(seed)) {}

  Module Build(const NetworkRecipe& recipe, int64_t channels, int64_t classes) {
    Module net = NewModule("BuiltinNetwork");
    int64_t width = recipe.width;
    net.register_module("conv1", Conv("conv1", channels, width, 3, 2));
    net.register_module("bn1", BatchNorm("bn1", width, 1));
    std::string forward = "x = torch.relu(self.bn1.forward(self.conv1.forward(x)))";
    int64_t in = width;
    for (int stage = 1; stage <= 4; ++stage) {
      const std::string name = fmt::format("layer{}", stage);
      net.register_module(name, Stage(name, in, width, stage == 1 ? 1 : 2, recipe.blocks));
      forward += fmt::format("\n  x = self.{}.forward(x)", name);
      in = width;
      width *= 2;
    }
    net.register_module("fc", Linear("fc", in, classes));
    net.define(fmt::format(R"(
def forward(self, x: Tensor) -> Tensor:
  {}
  x = torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1)
  return self.fc.forward(x)
)",
                           forward));
    return net;
  }

 private:
  static Module NewModule(const std::string& class_name) {
    Module module(class_name);
    module.register_attribute("training", c10::BoolType::get(), true);  // what Module::train and eval switch
    return module;
  }

  static void AddParameter(Module& module, const std::string& name, torch::Tensor value) {
    module.register_parameter(name, value.set_requires_grad(true), false);
  }

  Module Conv(const std::string& name, int64_t in, int64_t out, int64_t kernel, int64_t stride) {
    Module module = NewModule(name);
    const double deviation = std::sqrt(2.0 / static_cast<double>(out * kernel * kernel));
    AddParameter(module, "weight", torch::randn({out, in, kernel, kernel}, generator_) * deviation);
    module.define(fmt::format(R"(
def forward(self, x: Tensor) -> Tensor:
  return torch.conv2d(x, self.weight, None, [{0}, {0}], [{1}, {1}], [1, 1], 1)
)",
                              stride, kernel / 2));
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

Module MakeBuiltinNetwork(const NetworkRecipe& network, int64_t channels, int64_t classes, uint64_t seed) {
  return NetworkBuilder(seed).Build(network, channels, classes);
}

}  // namespace strait
