// A frozen TorchScript network and the places where it can be cut in two.
// Method: the graph is frozen and inlined; a value that is, at its point of the graph, the only live value that
// depends on the input is a split. Weights become graph constants and are never updated.
#pragma once

#include <torch/script.h>

#include <cstdint>
#include <string>
#include <vector>

#include "strait/result.h"
#include "strait/tensor.h"
#include "training/graph_cut.h"

namespace strait {

struct SplitInfo {
  std::string
      name;     // module path ("layer2", "layer3.0") where the value is a module's output, else the value's name
  Shape shape;  // of one sample, without the batch
  int64_t elements = 0;
  int64_t macs_before = 0;  // multiply-adds of convolutions, linear layers and matrix products, one sample
  int64_t macs_after = 0;
  int64_t params_before = 0;  // elements of the weight constants each side uses
  int64_t params_after = 0;
  bool is_module_output = false;  // `name` is a module path
};

// Head and tail as TorchScript modules; tail.forward(head.forward(x)) equals the whole network bit for bit.
struct SplitNetwork {
  torch::jit::Module head;
  torch::jit::Module tail;
  SplitInfo info;
};

class Backbone {
 public:
  // Loads a .pt file, freezes it and finds its splits by running it once on `input_shape` ({C, H, W}, batch of 1).
  // A network must take one float tensor [N, ...] and return one tensor [N, ...], for any N.
  // Errors: kIo (no such file), kCorrupt (not TorchScript), kUnsupported (several inputs or outputs, state that
  // forward changes), kInvalidArgument (does not run on the shape, or only with a batch of 1).
  static Result<Backbone> Load(const std::string& path, const Shape& input_shape);

  const std::vector<SplitInfo>& splits() const { return splits_; }
  const Shape& input_shape() const { return input_shape_; }
  const Shape& output_shape() const { return output_shape_; }  // of one sample
  // XXH3-64 over the names and bytes of all weights, in 16 hex digits.
  const std::string& hash() const { return hash_; }
  // The whole frozen network.
  const torch::jit::Module& network() const { return network_; }

  // Cuts at a split. The halves share their weights with network(), in memory. An unknown name is kInvalidArgument
  // and lists the valid ones, nearest spelling first.
  Result<SplitNetwork> Cut(const std::string& name) const;

 private:
  Backbone() = default;
  Status Freeze(const torch::jit::Module& module);
  Status FindSplits(const torch::jit::Module& unfrozen);

  std::string path_;
  torch::jit::Module network_;
  Shape input_shape_;
  Shape output_shape_;
  std::string hash_;
  std::vector<SplitInfo> splits_;
  std::vector<CutPoint> cuts_;  // cuts_[i] and rules_[i] belong to splits_[i]
  std::vector<std::vector<SizeRule>> rules_;
};

// XXH3-64 over the tensor constants of a module's graph (their order does not matter), in hex: equal before and
// after training or something is wrong.
std::string HashConstants(const torch::jit::Module& module);

// Copies a half to a device by saving and loading it (frozen weights are graph constants).
torch::jit::Module ToDevice(const torch::jit::Module& module, const torch::Device& device);

}  // namespace strait
