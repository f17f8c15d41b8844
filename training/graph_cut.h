// Finds the places where a frozen TorchScript graph can be cut in two, and cuts it there.
// A graph is read in program order: a cut lies behind a node, not at a value, so that in-place operators keep their
// order and both halves together do exactly what the whole does.
#pragma once

#include <torch/script.h>

#include <memory>
#include <string>
#include <vector>

#include "strait/result.h"

namespace strait {

// A value by the top-level node that makes it: unlike the name of a value that has only a number, this survives
// copying the graph.
struct ValueRef {
  size_t node = 0;
  size_t output = 0;
  auto operator<=>(const ValueRef&) const = default;
};

// Behind top-level node `num_nodes` - 1, `value` is the only live tensor that depends on the input's data. Beside
// it only what follows from integers derived from sizes (a traced batch size, say) may cross; the tail computes it
// anew.
struct CutPoint {
  size_t num_nodes = 0;
  ValueRef ref;
  std::string value;            // its name in the graph
  std::vector<ValueRef> sizes;  // the integers
};

// An integer of the graph as a function of the batch: slope * batch + offset.
struct SizeRule {
  int64_t slope = 0;
  int64_t offset = 0;
};

struct GraphHalves {
  std::shared_ptr<torch::jit::Graph> head;
  std::shared_ptr<torch::jit::Graph> tail;
};

// Every cut of a graph (self, input) -> tensor, in program order; neither the input itself nor the output.
std::vector<CutPoint> FindCuts(const torch::jit::Graph& graph);

// The two graphs of a cut, each (self, tensor) -> tensor; `rules` has one entry for each of cut.sizes.
// Constants are shared with `graph`, not copied.
GraphHalves CutGraph(const torch::jit::Graph& graph, const CutPoint& cut, const std::vector<SizeRule>& rules);

// Copies the graph's input first where an in-place operator would write into it.
void ProtectInput(const std::shared_ptr<torch::jit::Graph>& graph);

// A module whose forward is `graph`, which it takes over.
torch::jit::Module ModuleOf(const std::shared_ptr<torch::jit::Graph>& graph, const std::string& class_name);

// The graph of a module's forward.
std::shared_ptr<torch::jit::Graph> ForwardGraph(const torch::jit::Module& module);

// Precondition: the graph has the value.
torch::jit::Value* FindValue(torch::jit::Graph& graph, const ValueRef& ref);

}  // namespace strait
