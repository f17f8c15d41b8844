#include "training/backbone.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/remove_mutation.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include "entropy/checksum.h"
#include "training/graph_profile.h"
#include "training/spelling.h"
#include "training/torch_shape.h"
#include "training/torch_status.h"

namespace strait {
namespace {

std::string Hex(uint64_t hash) { return fmt::format("{:016x}", hash); }

// The hash so far is the seed of the next piece.
uint64_t HashText(const std::string& text, uint64_t hash) {
  return Xxh3_64({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, hash);
}

uint64_t HashTensor(const torch::Tensor& tensor, uint64_t hash) {
  if (!tensor.defined()) return hash;
  const torch::Tensor bytes = tensor.detach().cpu().contiguous();
  return Xxh3_64({static_cast<const uint8_t*>(bytes.data_ptr()), bytes.nbytes()}, hash);
}

std::string HashWeights(const torch::jit::Module& module) {
  uint64_t hash = 0;
  for (const auto& weight : module.named_parameters()) hash = HashTensor(weight.value, HashText(weight.name, hash));
  for (const auto& buffer : module.named_buffers()) hash = HashTensor(buffer.value, HashText(buffer.name, hash));
  return Hex(hash);
}

// A fixed input, drawn without touching the global generator, on which a training run may rely.
torch::Tensor ProbeInput(const Shape& sample, int64_t batch) {
  const Shape shape = WithBatch(batch, sample);
  return torch::randn(SizesOf(shape), at::detail::createCPUGenerator(20240229));
}

// Equal up to what folding a batch norm into a convolution changes.
bool SameValue(const torch::Tensor& a, const torch::Tensor& b) {
  if (!a.is_floating_point() || !b.is_floating_point() || a.sizes() != b.sizes()) return false;
  const double scale = std::max(a.abs().max().item<double>(), 1e-30);
  return (a - b).abs().max().item<double>() <= 1e-4 * scale;
}

size_t Depth(const std::string& path) { return std::count(path.begin(), path.end(), '.'); }

// Several calls of one module (a ReLU used twice) are told apart: the last keeps the path, earlier ones get ":1",
// ":2".
void NumberRepeatedCalls(std::vector<ModuleOutput>& outputs) {
  std::map<std::string, int> calls;
  for (const ModuleOutput& output : outputs) ++calls[output.path];
  std::map<std::string, int> seen;
  for (ModuleOutput& output : outputs) {
    const int call = ++seen[output.path];
    if (call < calls[output.path]) output.path = fmt::format("{}:{}", output.path, call);
  }
}

// The outermost module that returns `value`, of equals the first called; empty when there is none left.
std::string NameOf(const torch::Tensor& value, const std::vector<ModuleOutput>& outputs,
                   const std::set<std::string>& taken) {
  const ModuleOutput* best = nullptr;
  for (const ModuleOutput& output : outputs) {
    if (taken.count(output.path) != 0 || (best != nullptr && Depth(best->path) <= Depth(output.path))) continue;
    if (SameValue(output.value, value)) best = &output;
  }
  return best == nullptr ? std::string() : best->path;
}

Result<torch::jit::Module> LoadModule(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return Error(StatusCode::kIo, path,
                 ": no such file; give a TorchScript file, as torch.jit.trace(net, x).save writes it");
  return CatchTorch(StatusCode::kCorrupt, path + ": not a TorchScript file (save with torch.jit.save)",
                    [&]() -> Result<torch::jit::Module> { return torch::jit::load(path, torch::kCPU); });
}

}  // namespace

Result<Backbone> Backbone::Load(const std::string& path, const Shape& input_shape) {
  if (input_shape.empty() || std::any_of(input_shape.begin(), input_shape.end(), [](int64_t d) { return d < 1; })) {
    return Error(StatusCode::kInvalidArgument, path, ": input shape must be positive sizes such as 3,128,128");
  }
  STRAIT_ASSIGN_OR_RETURN(torch::jit::Module module, LoadModule(path));
  Backbone backbone;
  backbone.path_ = path;
  backbone.input_shape_ = input_shape;
  torch::NoGradGuard no_grad;
  Status status = CatchTorch(StatusCode::kUnsupported, path, [&] {
    module.eval();
    return backbone.Freeze(module);
  });
  STRAIT_RETURN_IF_ERROR(status);
  const std::string where = path + ": does not run on an input of " + ToString(input_shape);
  status = CatchTorch(StatusCode::kInvalidArgument, where, [&] { return backbone.FindSplits(module); });
  STRAIT_RETURN_IF_ERROR(status);
  return backbone;
}

Status Backbone::Freeze(const torch::jit::Module& module) {
  hash_ = HashWeights(module);
  if (!module.find_method("forward")) return Error(StatusCode::kUnsupported, path_, ": has no forward method");
  torch::jit::Module frozen = torch::jit::freeze(module);
  const auto graph = ForwardGraph(frozen)->copy();
  torch::jit::Inline(*graph);
  // Where it is safe, in-place operators become ordinary ones: the tail is differentiated in training, and autograd
  // refuses to go through a value that was overwritten (y = relu(y); y += x).
  torch::jit::RemoveTensorMutation(graph);
  if (graph->inputs().size() != 2 || graph->outputs().size() != 1) {
    return Error(StatusCode::kUnsupported, path_, ": forward takes ", graph->inputs().size() - 1,
                 " inputs; a backbone takes one tensor");
  }
  if (graph->inputs()[0]->hasUses()) {
    return Error(StatusCode::kUnsupported, path_, ": forward changes or reads state that cannot be frozen");
  }
  if (graph->outputs()[0]->type()->kind() != c10::TypeKind::TensorType) {
    return Error(StatusCode::kUnsupported, path_, ": forward returns ", graph->outputs()[0]->type()->str(),
                 "; a backbone returns one tensor");
  }
  ProtectInput(graph);
  network_ = ModuleOf(graph, "Backbone");
  return Status();
}

Status Backbone::FindSplits(const torch::jit::Module& unfrozen) {
  const auto graph = ForwardGraph(network_);
  const torch::Tensor one = ProbeInput(input_shape_, 1);
  const torch::Tensor two = ProbeInput(input_shape_, 2);
  output_shape_ = SampleShapeOf(network_.forward({one}).toTensor());

  std::vector<CutPoint> cuts = FindCuts(*graph);
  std::vector<Probe> probes;
  for (const CutPoint& cut : cuts) {
    probes.push_back({cut.ref, cut.num_nodes});
    for (const ValueRef& size : cut.sizes) probes.push_back({size, cut.num_nodes});
  }
  const std::vector<c10::IValue> values = RunProbed(*graph, network_, one, probes);
  std::vector<c10::IValue> values_of_two;
  const std::string where = path_ + ": the network fixes its batch size (trace or script it for any batch)";
  STRAIT_RETURN_IF_ERROR(CatchTorch(StatusCode::kInvalidArgument, where, [&] {
    const torch::Tensor output = network_.forward({two}).toTensor();
    values_of_two = RunProbed(*graph, network_, two, probes);
    if (output.dim() > 0 && output.size(0) == 2) return Status();
    return Error(StatusCode::kInvalidArgument, where, ": a batch of 2 gives ", ToString(output.sizes().vec()));
  }));

  std::vector<ModuleOutput> outputs = RecordModuleOutputs(unfrozen, one);
  NumberRepeatedCalls(outputs);
  const std::vector<int64_t> macs = CountGraphMacs(*graph, network_, one);
  std::set<std::string> taken;
  size_t next = 0;
  for (const CutPoint& cut : cuts) {
    const torch::Tensor value = values[next].toTensor();
    const torch::Tensor value_of_two = values_of_two[next++].toTensor();
    std::vector<SizeRule> rules;
    for (size_t i = 0; i < cut.sizes.size(); ++i, ++next) {
      const int64_t a = values[next].toInt();
      const int64_t b = values_of_two[next].toInt();
      rules.push_back({b - a, 2 * a - b});
    }
    const bool batch_first = value.dim() >= 2 && value.size(0) == 1 && value_of_two.size(0) == 2;
    if (!batch_first || !value.is_floating_point()) continue;

    SplitInfo info;
    info.name = NameOf(value, outputs, taken);
    info.is_module_output = !info.name.empty();
    if (info.name.empty()) info.name = cut.value;
    taken.insert(info.name);
    info.shape = SampleShapeOf(value);
    info.elements = value.numel();
    info.macs_before = std::accumulate(macs.begin(), macs.begin() + cut.num_nodes, int64_t{0});
    info.macs_after = std::accumulate(macs.begin() + cut.num_nodes, macs.end(), int64_t{0});
    const GraphHalves halves = CutGraph(*graph, cut, rules);
    info.params_before = CountGraphParams(*halves.head);
    info.params_after = CountGraphParams(*halves.tail);
    splits_.push_back(std::move(info));
    cuts_.push_back(cut);
    rules_.push_back(std::move(rules));
  }
  return Status();
}

Result<SplitNetwork> Backbone::Cut(const std::string& name) const {
  const auto found =
      std::find_if(splits_.begin(), splits_.end(), [&](const SplitInfo& s) { return s.name == name; });
  if (found == splits_.end()) {
    std::vector<std::string> names;
    for (const SplitInfo& split : splits_) names.push_back(split.name);
    std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
      return EditDistance(name, a) < EditDistance(name, b);
    });
    return Error(StatusCode::kInvalidArgument, path_, ": no split \"", name, "\"; ",
                 names.empty() ? "the network has none" : "it has ", fmt::format("{}", fmt::join(names, ", ")));
  }
  const size_t index = found - splits_.begin();
  return CatchTorch(StatusCode::kInternal, path_ + ": cutting at " + name, [&]() -> Result<SplitNetwork> {
    const GraphHalves halves = CutGraph(*ForwardGraph(network_), cuts_[index], rules_[index]);
    return SplitNetwork{ModuleOf(halves.head, "Head"), ModuleOf(halves.tail, "Tail"), *found};
  });
}

std::string HashConstants(const torch::jit::Module& module) {
  // A saved and loaded module holds the same constants in another order, each once: hash them as a set.
  std::set<uint64_t> hashes;
  for (const torch::jit::Node* node : ForwardGraph(module)->nodes()) {
    if (node->kind() != c10::prim::Constant) continue;
    const auto constant = torch::jit::toIValue(node->output());
    if (constant && constant->isTensor()) hashes.insert(HashTensor(constant->toTensor(), 0));
  }
  uint64_t hash = 0;
  for (const uint64_t one : hashes) hash = HashText(Hex(one), hash);
  return Hex(hash);
}

torch::jit::Module ToDevice(const torch::jit::Module& module, const torch::Device& device) {
  std::stringstream stream;
  module.save(stream);
  return torch::jit::load(stream, device);
}

}  // namespace strait
