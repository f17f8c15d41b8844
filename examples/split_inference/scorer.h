// A TorchScript module that ends in scores [N, classes]: the tail of a network, or all of it.
// One Scorer per thread.
#pragma once

#include <torch/script.h>

#include <string>
#include <vector>

#include "framing.h"
#include "strait/result.h"

namespace split_inference {

class Scorer {
 public:
  // Loads a module and runs it on samples of `shape` (without the batch): the first runs are slow, since
  // TorchScript profiles and optimises itself. Answers hold the `top` best classes. Errors name the file.
  static strait::Result<Scorer> Load(const std::string& path, const std::vector<int64_t>& shape, int top);

  // The best classes of each sample of {N, ...}.
  strait::Result<std::vector<std::vector<Score>>> Run(const torch::Tensor& src);

 private:
  Scorer() = default;

  torch::jit::Module module_;
  int top_ = 1;
};

}  // namespace split_inference
