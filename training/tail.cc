#include "training/tail.h"

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/ir.h>

#include "training/graph_cut.h"
#include "training/torch_shape.h"
#include "training/torch_status.h"

namespace strait {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

// The tail's graph with a tuple of its output and the values of `cuts` as its result.
torch::jit::Module WithTaps(Graph& tail, const std::vector<CutPoint>& cuts) {
  const std::shared_ptr<Graph> graph = tail.copy();
  const std::vector<Node*> nodes(graph->nodes().begin(), graph->nodes().end());
  const torch::jit::AliasDb aliases(graph);
  std::vector<Value*> outputs = {graph->outputs().at(0)};
  for (const CutPoint& cut : cuts) outputs.push_back(nodes.at(cut.ref.node)->outputs().at(cut.ref.output));
  for (size_t i = 0; i < cuts.size(); ++i) {
    Value*& value = outputs[i + 1];
    if (!aliases.hasWriters(value)) continue;  // else a later in-place operator would change what was tapped
    const torch::jit::WithInsertPoint guard(nodes.at(cuts[i].num_nodes - 1)->next());
    value = graph->insert(c10::aten::clone, {value});
  }
  graph->eraseOutput(0);
  graph->registerOutput(graph->appendNode(graph->createTuple(outputs))->output());
  graph->lint();
  return ModuleOf(graph, "TappedTail");
}

// The last of every run of cuts of equal shape, without those of the input's shape and those that hold no batch.
std::vector<CutPoint> LastOfEachShape(const std::vector<CutPoint>& cuts, const torch::jit::IValue& outputs,
                                      const Shape& input) {
  const auto& elements = outputs.toTupleRef().elements();
  std::vector<std::pair<CutPoint, Shape>> of_batches;
  for (size_t i = 0; i < cuts.size(); ++i) {
    const Shape shape = ShapeOf(elements[i + 1].toTensor());
    if (shape.size() > 1 && shape[0] == input[0]) of_batches.emplace_back(cuts[i], shape);
  }
  std::vector<CutPoint> last;
  for (size_t i = 0; i < of_batches.size(); ++i) {
    const auto& [cut, shape] = of_batches[i];
    const bool repeated = i + 1 < of_batches.size() && shape == of_batches[i + 1].second;
    if (!repeated && shape != input) last.push_back(cut);
  }
  return last;
}

}  // namespace

Result<Tail> Tail::Create(const SplitNetwork& network, bool tapped, const torch::Device& device) {
  return CatchTorch(StatusCode::kInternal, "tail of " + network.info.name, [&]() -> Result<Tail> {
    torch::NoGradGuard no_grad;
    Tail tail;
    tail.module_ = network.tail;
    if (tapped) {
      const std::shared_ptr<Graph> graph = ForwardGraph(network.tail);
      const std::vector<CutPoint> cuts = FindCuts(*graph);
      const Shape two = WithBatch(2, network.info.shape);
      const torch::jit::IValue probe = WithTaps(*graph, cuts).forward({torch::zeros(SizesOf(two))});
      tail.module_ = WithTaps(*graph, LastOfEachShape(cuts, probe, two));
    }
    tail.tapped_ = tapped;
    if (!device.is_cpu()) tail.module_ = ToDevice(tail.module_, device);
    return tail;
  });
}

Tail::Output Tail::Run(const torch::Tensor& features) const {
  const torch::jit::IValue result = module_.forward({features});
  if (!tapped_) return {result.toTensor(), {}};
  Output output;
  const auto& elements = result.toTupleRef().elements();
  output.logits = elements[0].toTensor();
  for (size_t i = 1; i < elements.size(); ++i) output.stages.push_back(elements[i].toTensor());
  return output;
}

}  // namespace strait
