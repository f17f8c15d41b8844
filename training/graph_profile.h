// Runs a graph once and looks at values inside it: shapes, multiply-adds, outputs of submodules.
#pragma once

#include <torch/script.h>

#include <memory>
#include <string>
#include <vector>

#include "training/graph_cut.h"

namespace strait {

// One call of a submodule's forward and what it returned.
struct ModuleOutput {
  std::string path;  // "layer3.0"
  torch::Tensor value;
};

// A value to look at, and the number of top-level nodes to run before looking (in-place operators may change it
// later).
struct Probe {
  ValueRef value;
  size_t num_nodes = 0;
};

// Runs (self, src) -> ... and returns the probed values: tensors as copies, integers as they are.
std::vector<c10::IValue> RunProbed(const torch::jit::Graph& graph, const torch::jit::Module& self,
                                   const torch::Tensor& src, const std::vector<Probe>& probes);

// Multiply-adds of each top-level node for `src`: convolutions, linear layers, matrix products and attention; other
// nodes count zero, and so do nodes under control flow.
std::vector<int64_t> CountGraphMacs(const torch::jit::Graph& graph, const torch::jit::Module& self,
                                    const torch::Tensor& src);

// Elements of the floating-point tensor constants of a graph (its weights).
int64_t CountGraphParams(const torch::jit::Graph& graph);

// Runs a module that is not frozen yet and records what every submodule called on the way returns, in order of the
// calls; outputs that are not one tensor are left out.
std::vector<ModuleOutput> RecordModuleOutputs(const torch::jit::Module& module, const torch::Tensor& src);

}  // namespace strait
