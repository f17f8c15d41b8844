#include "training/graph_profile.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <functional>
#include <optional>
#include <unordered_map>

namespace strait {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;
using Sizes = std::vector<int64_t>;

// The plain interpreter, without the optimising executor, so that nothing is fused or specialised.
std::vector<c10::IValue> Interpret(const std::shared_ptr<Graph>& graph, const torch::jit::Module& self,
                                   const torch::Tensor& src) {
  torch::NoGradGuard no_grad;
  torch::jit::Code code(graph, "probe");
  torch::jit::Stack stack = {self._ivalue(), src};
  torch::jit::InterpreterState(code).run(stack);
  return stack;
}

void ReplaceOutputs(Graph& graph, const std::vector<Value*>& outputs) {
  while (!graph.outputs().empty()) graph.eraseOutput(graph.outputs().size() - 1);
  for (Value* output : outputs) graph.registerOutput(output);
}

Value* InsertClone(Graph& graph, Value* value, Node* after) {
  torch::jit::WithInsertPoint guard(after->next());
  return graph.insert(c10::aten::clone, {value});
}

int64_t Product(const Sizes& sizes) {
  int64_t product = 1;
  for (const int64_t size : sizes) product *= size;
  return product;
}

using SizesOf = std::function<std::optional<Sizes>(const Value*)>;

int64_t NodeMacs(const Node* node, const SizesOf& sizes_of) {
  const std::string op = node->kind().toQualString();
  if (node->outputs().size() != 1 || node->inputs().size() < 2) return 0;
  const auto dst = sizes_of(node->output());
  const auto a = sizes_of(node->input(0));
  const auto b = sizes_of(node->input(1));
  if (!dst || !a || !b) return 0;

  if (op.rfind("aten::conv_transpose", 0) == 0) return b->empty() ? 0 : Product(*a) * Product(*b) / b->front();
  if (op == "aten::_convolution" || op == "aten::convolution" || op == "aten::conv1d" || op == "aten::conv2d" ||
      op == "aten::conv3d") {
    if (b->empty() || b->front() == 0) return 0;
    const bool general = op == "aten::_convolution" || op == "aten::convolution";
    const auto transposed = general ? torch::jit::toIValue(node->input(6)) : c10::nullopt;
    const bool from_src = transposed && transposed->isBool() && transposed->toBool();
    return Product(from_src ? *a : *dst) * Product(*b) / b->front();
  }
  if (op == "aten::linear" || op == "aten::matmul" || op == "aten::mm" || op == "aten::bmm" || op == "aten::mv") {
    return a->empty() ? 0 : Product(*dst) * a->back();
  }
  if (op == "aten::addmm" || op == "aten::baddbmm" || op == "aten::addbmm") {
    return b->empty() ? 0 : Product(*dst) * b->back();
  }
  if (op.find("scaled_dot_product_attention") != std::string::npos) {  // q k^T, then times v
    return b->size() < 2 ? 0 : 2 * Product(*a) * (*b)[b->size() - 2];
  }
  return 0;
}

// "layer3.0" of a chain of prim::GetAttr from `self`; nullopt when the value is not reached that way.
std::optional<std::string> PathOf(const Value* value, const Value* self) {
  std::string path;
  while (value != self) {
    const Node* node = value->node();
    if (node->kind() != c10::prim::GetAttr) return std::nullopt;
    const std::string& name = node->s(c10::attr::name);
    path = path.empty() ? name : name + "." + path;
    value = node->input(0);
  }
  return path;
}

}  // namespace

std::vector<c10::IValue> RunProbed(const Graph& graph, const torch::jit::Module& self, const torch::Tensor& src,
                                   const std::vector<Probe>& probes) {
  const auto copy = const_cast<Graph&>(graph).copy();  // copy() is not declared const in every LibTorch
  const std::vector<Node*> nodes(copy->nodes().begin(), copy->nodes().end());
  std::vector<Value*> outputs;
  for (const Probe& probe : probes) {
    Value* value =
        nodes.at(probe.value.node)->outputs().at(probe.value.output);  // not FindValue: clones shift nodes
    Node* after = nodes.at(probe.num_nodes - 1);
    const bool is_int = value->type()->kind() == c10::TypeKind::IntType;
    outputs.push_back(is_int ? value : InsertClone(*copy, value, after));
  }
  ReplaceOutputs(*copy, outputs);
  return Interpret(copy, self, src);
}

std::vector<int64_t> CountGraphMacs(const Graph& graph, const torch::jit::Module& self, const torch::Tensor& src) {
  const auto copy = const_cast<Graph&>(graph).copy();
  const std::vector<Node*> nodes(copy->nodes().begin(), copy->nodes().end());
  std::vector<const Value*> measured;
  std::vector<Value*> outputs;
  const auto measure = [&](Value* value) {
    measured.push_back(value);
    outputs.push_back(copy->insert(c10::aten::size, {value}));
  };
  {
    torch::jit::WithInsertPoint guard(nodes.front());
    measure(copy->inputs().at(1));
  }
  for (Node* node : nodes) {
    torch::jit::WithInsertPoint guard(node->next());
    for (Value* output : node->outputs()) {
      if (output->type()->kind() == c10::TypeKind::TensorType) measure(output);
    }
  }
  ReplaceOutputs(*copy, outputs);
  const std::vector<c10::IValue> results = Interpret(copy, self, src);

  std::unordered_map<const Value*, Sizes> sizes;
  for (size_t i = 0; i < measured.size(); ++i) sizes[measured[i]] = results.at(i).toIntVector();
  const SizesOf sizes_of = [&](const Value* value) -> std::optional<Sizes> {
    const auto found = sizes.find(value);
    return found == sizes.end() ? std::nullopt : std::optional(found->second);
  };
  std::vector<int64_t> macs;
  for (const Node* node : nodes) macs.push_back(NodeMacs(node, sizes_of));
  return macs;
}

int64_t CountGraphParams(const Graph& graph) {
  int64_t params = 0;
  for (const Node* node : graph.nodes()) {
    if (node->kind() != c10::prim::Constant) continue;
    const auto constant = torch::jit::toIValue(node->output());
    if (!constant || !constant->isTensor()) continue;
    const torch::Tensor tensor = constant->toTensor();
    if (tensor.defined() && tensor.is_floating_point() && tensor.dim() > 0) params += tensor.numel();
  }
  return params;
}

std::vector<ModuleOutput> RecordModuleOutputs(const torch::jit::Module& module, const torch::Tensor& src) {
  const auto graph = ForwardGraph(module)->copy();
  const Value* self = graph->inputs().at(0);
  std::vector<std::string> paths;
  std::vector<Value*> outputs;
  // Calls are inlined one by one, outermost first, and each leaves a copy of its result behind: by the time inner
  // in-place operators of a later module run, the copy is taken.
  for (Node* node = *graph->nodes().begin(); node != graph->return_node();) {
    if (node->kind() != c10::prim::CallMethod) {
      node = node->next();
      continue;
    }
    const auto type = node->input(0)->type()->cast<c10::ClassType>();
    const std::string& method = node->s(c10::attr::name);
    auto* callee = type ? torch::jit::tryToGraphFunction(type->getMethod(method)) : nullptr;
    if (callee == nullptr) {
      node = node->next();
      continue;
    }
    const auto path = PathOf(node->input(0), self);
    if (path && !path->empty() && method == "forward" && node->outputs().size() == 1 &&
        node->output()->type()->kind() == c10::TypeKind::TensorType) {
      paths.push_back(*path);
      outputs.push_back(InsertClone(*graph, node->output(), node));
    }
    Node* previous = node->prev();
    torch::jit::inlineCallTo(node, callee,
                             callee->graph().get());  // not its optimised graph: that has no calls left
    node = previous->next();
  }
  ReplaceOutputs(*graph, outputs);
  const std::vector<c10::IValue> values = Interpret(graph, module, src);
  std::vector<ModuleOutput> recorded;
  for (size_t i = 0; i < paths.size(); ++i) recorded.push_back({paths[i], values.at(i).toTensor()});
  return recorded;
}

}  // namespace strait
