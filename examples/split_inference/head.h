// The device's half of the network: a picture to the tensor that crosses the split.
// One Head per thread.
#pragma once

#include <torch/script.h>

#include <string>

#include "picture.h"
#include "strait/result.h"

namespace split_inference {

class Head {
 public:
  // Loads head.ts of `strait-train export --halves`, which carries how to prepare an image.
  static strait::Result<Head> Load(const std::string& path);

  const Preparation& preparation() const { return preparation_; }

  // Normalises a picture of the preparation's size and runs the head: {1, ...} on the CPU, contiguous.
  strait::Result<torch::Tensor> Run(const Picture& picture);

 private:
  Head() = default;

  torch::jit::Module module_;
  Preparation preparation_;
};

}  // namespace split_inference
