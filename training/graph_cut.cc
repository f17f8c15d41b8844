#include "training/graph_cut.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <map>
#include <unordered_map>
#include <unordered_set>

namespace strait {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

// Values a node reads, those captured by its inner blocks included.
void CollectUses(const Node* node, std::vector<const Value*>& uses) {
  for (const Value* input : node->inputs()) uses.push_back(input);
  for (const Block* block : node->blocks()) {
    for (const Node* inner : block->nodes()) CollectUses(inner, uses);
    for (const Value* output : block->outputs()) uses.push_back(output);
  }
}

bool IsMutating(const Node* node) {
  const c10::FunctionSchema* schema = node->maybeSchema();
  return schema != nullptr && schema->is_mutable();
}

enum class Dependence { kNone, kSize, kData };

// How each value depends on the graph's input: not at all, through sizes only, or through data.
class DependenceMap {
 public:
  explicit DependenceMap(const Graph& graph) {
    map_[graph.inputs().at(1)] = Dependence::kData;
    for (const Node* node : graph.nodes()) Visit(node);
  }

  Dependence Of(const Value* value) const {
    const auto found = map_.find(value);
    return found == map_.end() ? Dependence::kNone : found->second;
  }

 private:
  void Visit(const Node* node) {
    std::vector<const Value*> uses;
    CollectUses(node, uses);
    Dependence strongest = Dependence::kNone;
    for (const Value* use : uses) strongest = std::max(strongest, Of(use));
    // A constant changed in place, or a random number, must not be computed twice: let it cross as data.
    if (strongest == Dependence::kNone && (IsMutating(node) || node->isNondeterministic())) {
      strongest = Dependence::kData;
    }
    if (strongest == Dependence::kNone) return;
    for (const Value* output : node->outputs()) {
      const bool size = output->type()->kind() == c10::TypeKind::IntType || node->kind() == c10::prim::NumToTensor;
      map_[output] = size ? Dependence::kSize : strongest;
    }
  }

  std::unordered_map<const Value*, Dependence> map_;
};

std::unordered_map<const Value*, size_t> LastUses(const Graph& graph) {
  std::unordered_map<const Value*, size_t> last_use;
  size_t index = 0;
  for (const Node* node : graph.nodes()) {
    std::vector<const Value*> uses;
    CollectUses(node, uses);
    for (const Value* use : uses) last_use[use] = index;
    ++index;
  }
  for (const Value* output : graph.outputs()) last_use[output] = index;
  return last_use;
}

// The integer `rule` gives for the batch of `input`, typed as `like`.
Value* InsertSize(Graph& graph, Value* input, const SizeRule& rule, const Value* like) {
  Value* size = nullptr;
  if (rule.slope == 0) {
    size = graph.insertConstant(rule.offset);
  } else {
    Value* batch = graph.insert(c10::aten::size, {input, graph.insertConstant(int64_t{0})});
    Value* scaled = graph.insert(c10::aten::mul, {batch, graph.insertConstant(rule.slope)});
    size = graph.insert(c10::aten::add, {scaled, graph.insertConstant(rule.offset)});
  }
  if (like->type()->kind() == c10::TypeKind::IntType) return size;
  return graph.insertNode(graph.createNumToTensor(size))->output();
}

using ValueMap = std::unordered_map<const Value*, Value*>;

void CloneInto(Graph& dst, Node* node, ValueMap& map) {
  Node* clone = dst.insertNode(dst.createClone(node, [&](Value* value) { return map.at(value); }));
  for (size_t i = 0; i < node->outputs().size(); ++i) map[node->outputs()[i]] = clone->outputs()[i];
}

std::shared_ptr<Graph> NewGraph(Value*& input) {
  auto graph = std::make_shared<Graph>();
  graph->addInput("self");
  input = graph->addInput("x");
  return graph;
}

}  // namespace

std::vector<CutPoint> FindCuts(const Graph& graph) {
  const DependenceMap dependence(graph);
  const auto last_use = LastUses(graph);
  std::unordered_set<const Value*> live = {graph.inputs().at(1)};
  std::vector<CutPoint> cuts;
  size_t index = 0;
  for (const Node* node : graph.nodes()) {
    for (const Value* output : node->outputs()) {
      if (dependence.Of(output) != Dependence::kNone && last_use.count(output) != 0) live.insert(output);
    }
    std::erase_if(live,
                  [&](const Value* value) { return last_use.count(value) == 0 || last_use.at(value) <= index; });
    ++index;
    CutPoint cut{index, "", {}};
    int num_data = 0;
    const Value* data = nullptr;
    for (const Value* value : live) {
      if (dependence.Of(value) == Dependence::kSize) {
        cut.sizes.push_back(value->debugName());
      } else {
        ++num_data;
        data = value;
      }
    }
    if (num_data != 1 || data == graph.inputs()[1] || data == graph.outputs().at(0)) continue;
    if (data->type()->kind() != c10::TypeKind::TensorType) continue;
    cut.value = data->debugName();
    std::sort(cut.sizes.begin(), cut.sizes.end());
    // One value may be alone at several points. The last is wanted (a later in-place operator may still finish
    // the value), but never at the price of more sizes to compute anew.
    if (cuts.empty() || cuts.back().value != cut.value) {
      cuts.push_back(std::move(cut));
    } else if (cut.sizes.size() <= cuts.back().sizes.size()) {
      cuts.back() = std::move(cut);
    }
  }
  return cuts;
}

GraphHalves CutGraph(const Graph& graph, const CutPoint& cut, const std::vector<SizeRule>& rules) {
  const DependenceMap dependence(graph);
  GraphHalves halves;
  Value* head_input = nullptr;
  Value* tail_input = nullptr;
  halves.head = NewGraph(head_input);
  halves.tail = NewGraph(tail_input);
  ValueMap head_map = {{graph.inputs().at(0), halves.head->inputs()[0]}, {graph.inputs().at(1), head_input}};
  ValueMap tail_map = {{graph.inputs().at(0), halves.tail->inputs()[0]}};

  const Value* crossing = nullptr;
  size_t index = 0;
  for (const Node* const_node : graph.nodes()) {
    Node* node = const_cast<Node*>(const_node);  // createClone reads its source but is not declared so
    if (index < cut.num_nodes) CloneInto(*halves.head, node, head_map);
    const bool depends = std::any_of(node->outputs().begin(), node->outputs().end(),
                                     [&](Value* value) { return dependence.Of(value) != Dependence::kNone; });
    const bool only_effect = node->outputs().empty();
    if (index >= cut.num_nodes || (!depends && !only_effect)) CloneInto(*halves.tail, node, tail_map);
    if (++index != cut.num_nodes) continue;
    for (const auto& [value, copy] : head_map) {
      if (value->debugName() == cut.value) crossing = value;
    }
    TORCH_CHECK(crossing != nullptr, "no value ", cut.value, " in the graph");
    tail_map[crossing] = tail_input;
    for (size_t i = 0; i < cut.sizes.size(); ++i) {
      const Value* size = FindValue(const_cast<Graph&>(graph), cut.sizes[i]);
      tail_map[size] = InsertSize(*halves.tail, tail_input, rules.at(i), size);
    }
  }
  halves.head->registerOutput(head_map.at(crossing));
  halves.tail->registerOutput(tail_map.at(graph.outputs().at(0)));
  for (const auto& half : {halves.head, halves.tail}) {
    torch::jit::EliminateDeadCode(half);
    ProtectInput(half);
    half->lint();
  }
  return halves;
}

void ProtectInput(const std::shared_ptr<Graph>& graph) {
  Value* input = graph->inputs().at(1);
  const bool written = torch::jit::AliasDb(graph).hasWriters(input);
  if (!written) return;
  torch::jit::WithInsertPoint guard(*graph->nodes().begin());
  Value* copy = graph->insert(c10::aten::clone, {input});
  input->replaceAllUsesAfterNodeWith(copy->node(), copy);
}

torch::jit::Module ModuleOf(const std::shared_ptr<Graph>& graph, const std::string& class_name) {
  torch::jit::Module module(class_name);
  graph->inputs().at(0)->setType(module.type());
  torch::jit::Function* forward = module._ivalue()->compilation_unit()->create_function(
      c10::QualifiedName(*module.type()->name(), "forward"), graph);
  module.type()->addMethod(forward);
  module.eval();
  return module;
}

std::shared_ptr<Graph> ForwardGraph(const torch::jit::Module& module) {
  return torch::jit::toGraphFunction(module.get_method("forward").function()).graph();
}

Value* FindValue(Graph& graph, const std::string& name) {
  for (Node* node : graph.nodes()) {
    for (Value* output : node->outputs()) {
      if (output->debugName() == name) return output;
    }
  }
  return nullptr;
}

}  // namespace strait
