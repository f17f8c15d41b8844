// The frozen tail as the trainer runs it: its output and, for distillation, the features of its own stages.
#pragma once

#include <torch/script.h>

#include <vector>

#include "strait/result.h"
#include "training/backbone.h"

namespace strait {

class Tail {
 public:
  struct Output {
    torch::Tensor logits;
    std::vector<torch::Tensor> stages;  // empty unless tapped
  };

  // `tapped` also returns what crosses the tail's own splits: the last one of each shape [N, ...], other than the
  // shape of its input (a residual network gives one a stage). Everything runs on `device`.
  static Result<Tail> Create(const SplitNetwork& network, bool tapped, const torch::Device& device);

  bool tapped() const { return tapped_; }

  Output Run(const torch::Tensor& features) const;

 private:
  mutable torch::jit::Module module_;  // forward is not const in LibTorch
  bool tapped_ = false;
};

}  // namespace strait
