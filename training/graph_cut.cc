#include "training/graph_cut.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <set>
#include <string>
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
    const std::string op = node->kind().toQualString();
    const bool reads_size = op == "aten::size" || op == "aten::len" || op == "aten::numel" || op == "aten::dim";
    for (const Value* output : node->outputs()) map_[output] = reads_size ? Dependence::kSize : strongest;
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

bool IsInt(const Value* value) { return value->type()->kind() == c10::TypeKind::IntType; }

// Adds the integers from which a value that depends on sizes alone can be computed anew; false when there are none.
bool CollectSizes(const Value* value, const DependenceMap& dependence, std::set<const Value*>& sizes) {
  if (IsInt(value)) {
    sizes.insert(value);
    return true;
  }
  std::vector<const Value*> uses;
  CollectUses(value->node(), uses);
  return std::all_of(uses.begin(), uses.end(), [&](const Value* use) {
    switch (dependence.Of(use)) {
      case Dependence::kNone:
        return true;
      case Dependence::kSize:
        return CollectSizes(use, dependence, sizes);
      case Dependence::kData:
        return false;  // a list of sizes, say: no linear rule gives it
    }
    return false;
  });
}

Value* InsertSize(Graph& graph, Value* input, const SizeRule& rule) {
  if (rule.slope == 0) return graph.insertConstant(rule.offset);
  Value* batch = graph.insert(c10::aten::size, {input, graph.insertConstant(int64_t{0})});
  Value* scaled = graph.insert(c10::aten::mul, {batch, graph.insertConstant(rule.slope)});
  return graph.insert(c10::aten::add, {scaled, graph.insertConstant(rule.offset)});
}

using ValueMap = std::unordered_map<const Value*, Value*>;

void CloneInto(Graph& dst, Node* node, ValueMap& map) {
  Node* clone = dst.insertNode(dst.createClone(node, [&](Value* value) { return map.at(value); }));
  for (size_t i = 0; i < node->outputs().size(); ++i) map[node->outputs()[i]] = clone->outputs()[i];
}

// Whether all that a node reads from outside itself is in `map`.
bool HasAllInputs(const Node* node, const ValueMap& map) {
  std::vector<const Value*> uses;
  CollectUses(node, uses);
  return std::all_of(uses.begin(), uses.end(), [&](const Value* use) {
    return map.count(use) != 0 || use->node()->owningBlock() != node->owningBlock();
  });
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
  std::unordered_map<const Value*, ValueRef> refs;
  std::vector<CutPoint> cuts;
  size_t index = 0;
  for (const Node* node : graph.nodes()) {
    for (const Value* output : node->outputs()) {
      refs[output] = {index, output->offset()};
      if (dependence.Of(output) != Dependence::kNone && last_use.count(output) != 0) live.insert(output);
    }
    std::erase_if(live,
                  [&](const Value* value) { return last_use.count(value) == 0 || last_use.at(value) <= index; });
    ++index;
    std::vector<const Value*> data;
    std::set<const Value*> sizes;
    bool sizes_known = true;
    for (const Value* value : live) {
      if (dependence.Of(value) == Dependence::kData) {
        data.push_back(value);
      } else {
        sizes_known = sizes_known && CollectSizes(value, dependence, sizes);
      }
    }
    if (data.size() != 1 || !sizes_known) continue;
    if (data[0] == graph.inputs()[1] || data[0] == graph.outputs().at(0)) continue;
    if (data[0]->type()->kind() != c10::TypeKind::TensorType) continue;
    CutPoint cut{index, refs.at(data[0]), data[0]->debugName(), {}};
    for (const Value* size : sizes) cut.sizes.push_back(refs.at(size));
    std::sort(cut.sizes.begin(), cut.sizes.end());
    // One value may be alone at several points. The last is wanted (a later in-place operator may still finish
    // the value), but never at the price of more sizes to compute anew.
    if (cuts.empty() || cuts.back().ref != cut.ref) {
      cuts.push_back(std::move(cut));
    } else if (cut.sizes.size() <= cuts.back().sizes.size()) {
      cuts.back() = std::move(cut);
    }
  }
  return cuts;
}

GraphHalves CutGraph(const Graph& graph, const CutPoint& cut, const std::vector<SizeRule>& rules) {
  const DependenceMap dependence(graph);
  auto& source = const_cast<Graph&>(graph);  // createClone reads its source but is not declared so
  const std::vector<Node*> nodes(source.nodes().begin(), source.nodes().end());
  const Value* crossing = FindValue(source, cut.ref);

  GraphHalves halves;
  Value* head_input = nullptr;
  halves.head = NewGraph(head_input);
  ValueMap head_map = {{graph.inputs().at(0), halves.head->inputs()[0]}, {graph.inputs().at(1), head_input}};
  for (size_t i = 0; i < cut.num_nodes; ++i) CloneInto(*halves.head, nodes[i], head_map);
  halves.head->registerOutput(head_map.at(crossing));

  Value* tail_input = nullptr;
  halves.tail = NewGraph(tail_input);
  ValueMap tail_map = {{graph.inputs().at(0), halves.tail->inputs()[0]}, {crossing, tail_input}};
  for (size_t i = 0; i < cut.sizes.size(); ++i) {
    tail_map[FindValue(source, cut.sizes[i])] = InsertSize(*halves.tail, tail_input, rules.at(i));
  }
  // From before the cut the tail takes what needs no data: constants, and what follows from sizes.
  for (size_t i = 0; i < cut.num_nodes; ++i) {
    const bool needs_data = std::any_of(nodes[i]->outputs().begin(), nodes[i]->outputs().end(), [&](Value* value) {
      return dependence.Of(value) == Dependence::kData || tail_map.count(value) != 0;
    });
    if (!needs_data && !nodes[i]->outputs().empty() && HasAllInputs(nodes[i], tail_map)) {
      CloneInto(*halves.tail, nodes[i], tail_map);
    }
  }
  for (size_t i = cut.num_nodes; i < nodes.size(); ++i) CloneInto(*halves.tail, nodes[i], tail_map);
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

Value* FindValue(Graph& graph, const ValueRef& ref) {
  auto node = graph.nodes().begin();
  for (size_t i = 0; i < ref.node; ++i) ++node;
  return node->outputs().at(ref.output);
}

}  // namespace strait
