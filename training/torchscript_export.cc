#include "training/torchscript_export.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "codec/quantizer.h"
#include "training/torch_shape.h"
#include "training/torch_status.h"

namespace strait {
namespace {

torch::Tensor ToTorch(const Weights& weights) {
  auto* data = const_cast<float*>(weights.data.data());  // from_blob has no const form; clone only reads
  return torch::from_blob(data, SizesOf(weights.shape)).clone();
}

// Gains of every quality a frame can name, {codes, channels}: the runtime's own numbers, nothing to compute later.
torch::Tensor GainTable(const std::vector<std::vector<float>>& levels) {
  std::vector<torch::Tensor> rows;
  for (int code = 0; code <= MaxQualityCode(levels.size()); ++code) {
    rows.push_back(torch::tensor(InterpolateGains(levels, code)));
  }
  return torch::stack(rows);
}

std::string Pair(const int (&values)[2]) { return fmt::format("[{}, {}]", values[0], values[1]); }

// The TorchScript expression of an op; registers its weights with the module.
std::string Expression(const Op& op, size_t index, torch::jit::Module& module) {
  const auto value = [&](size_t i) {
    return fmt::format("v{}", op.src.empty() ? static_cast<int>(index) : op.src[i]);
  };
  std::string weights;
  if (!op.weight.data.empty()) {
    const std::string weight = fmt::format("weight{}", index), bias = fmt::format("bias{}", index);
    module.register_parameter(weight, ToTorch(op.weight), /*is_buffer=*/false);
    if (!op.bias.data.empty()) module.register_parameter(bias, ToTorch(op.bias), /*is_buffer=*/false);
    weights = fmt::format("self.{}, {}", weight, op.bias.data.empty() ? "None" : "self." + bias);
  }
  switch (op.kind) {
    case OpKind::kConv2d:
      return fmt::format("torch.conv2d({}, {}, {}, {}, [1, 1], {})", value(0), weights, Pair(op.stride),
                         Pair(op.padding), op.groups);
    case OpKind::kConvTranspose2d:
      return fmt::format("torch.conv_transpose2d({}, {}, {}, {}, {}, {}, [1, 1])", value(0), weights,
                         Pair(op.stride), Pair(op.padding), Pair(op.output_padding), op.groups);
    case OpKind::kLinear:
      return fmt::format("torch.linear({}, {})", value(0), weights);
    case OpKind::kRelu:
      return fmt::format("torch.relu({})", value(0));
    case OpKind::kLeakyRelu:
      return fmt::format("torch.leaky_relu({}, {:.9g})", value(0), op.slope);
    case OpKind::kPixelShuffle:
      return fmt::format("torch.pixel_shuffle({}, {})", value(0), op.factor);
    case OpKind::kAdd:
      return fmt::format("{} + {}", value(0), value(1));
  }
  return value(0);
}

// Method `transform` (v0) of the op list.
std::string TransformMethod(const Transform& transform, torch::jit::Module& module) {
  std::string source = "def transform(self, v0: Tensor) -> Tensor:\n";
  for (size_t i = 0; i < transform.size(); ++i) {
    source += fmt::format("  v{} = {}\n", i + 1, Expression(transform[i], i, module));
  }
  return source + fmt::format("  return v{}\n", transform.size());
}

// Method `gain_at` (quality), shaped to multiply a latent, as codec/quantizer.h rounds and checks a quality.
std::string GainMethod(size_t levels, bool tokens) {
  return fmt::format(R"(
def gain_at(self, quality: float) -> Tensor:
  assert quality >= 0.0 and quality <= {0}.0, "strait: quality is not in 0..{0}"
  steps = quality * {1}.0
  code = int(steps)
  if steps - float(code) >= 0.5:
    code += 1
  return self.gain[code].view({2})
)",
                     levels - 1, kQualitySteps, tokens ? "[1, 1, -1]" : "[1, -1, 1, 1]");
}

std::string CheckShape(const char* what, bool tokens, int64_t channels) {
  return fmt::format(R"(assert {0}.dim() == {1} and {0}.size({2}) == {3}, "strait: {0} must be {4}")", what,
                     tokens ? 3 : 4, tokens ? 2 : 1, channels,
                     tokens ? fmt::format("[N, T, {}]", channels) : fmt::format("[N, {}, H, W]", channels));
}

torch::jit::Module BuildAnalysis(const ModelSpec& spec) {
  const bool tokens = spec.feature_shape.size() == 2;
  torch::jit::Module module("StraitAnalysis");
  module.register_buffer("gain", GainTable(spec.gain));
  module.define(TransformMethod(spec.analysis, module));
  module.define(GainMethod(spec.levels.size(), tokens));
  module.define(
      fmt::format(R"(
def forward(self, features: Tensor, quality: float) -> Tensor:
  {}
  return self.transform(features) * self.gain_at(quality)
)",
                  CheckShape("features", tokens, tokens ? spec.feature_shape[1] : spec.feature_shape[0])));
  return module;
}

torch::jit::Module BuildSynthesis(const ModelSpec& spec) {
  const bool tokens = spec.feature_shape.size() == 2;
  const int last_code = MaxQualityCode(spec.levels.size());
  torch::jit::Module module("StraitSynthesis");
  module.register_buffer("gain", GainTable(spec.inverse_gain));
  module.define(TransformMethod(spec.synthesis, module));
  module.define(GainMethod(spec.levels.size(), tokens));
  // Dtype 4 is int64. Qualities of a batch are clamped, not checked: a check would wait for the GPU.
  module.define(fmt::format(R"(
def forward(self, symbols: Tensor, quality: float) -> Tensor:
  {0}
  gain = self.gain_at(quality)
  return self.transform(symbols.to(gain) * gain)

def forward_each(self, symbols: Tensor, qualities: Tensor) -> Tensor:
  {0}
  assert qualities.dim() == 1 and qualities.size(0) == symbols.size(0), "strait: qualities must be [N]"
  codes = torch.clamp(torch.floor(qualities * {1}.0 + 0.5), 0, {2})
  rows = torch.index_select(self.gain, 0, codes.to(device=self.gain.device, dtype=4))
  return self.transform(symbols.to(rows) * rows.view({3}))
)",
                            CheckShape("symbols", tokens, spec.latent_channels()), kQualitySteps, last_code,
                            tokens ? fmt::format("[-1, 1, {}]", spec.latent_channels())
                                   : fmt::format("[-1, {}, 1, 1]", spec.latent_channels())));
  return module;
}

}  // namespace

Result<TorchScriptUnit> BuildTorchScript(const ModelSpec& spec) {
  return CatchTorch(StatusCode::kInternal, "TorchScript of a unit", [&]() -> Result<TorchScriptUnit> {
    torch::NoGradGuard no_grad;
    TorchScriptUnit unit{BuildAnalysis(spec), BuildSynthesis(spec)};
    for (torch::jit::Module* module : {&unit.analysis, &unit.synthesis}) {
      for (torch::Tensor parameter : module->parameters()) parameter.set_requires_grad(false);
      module->eval();
    }
    return unit;
  });
}

}  // namespace strait
