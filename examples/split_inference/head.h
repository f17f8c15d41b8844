// The device's half of the network: an image file to the tensor that crosses the split.
// One Head per thread.
#pragma once

#include <torch/script.h>

#include <string>
#include <vector>

#include "strait/result.h"

namespace split_inference {

class Head {
 public:
  // Loads head.ts of `strait-train export --halves`, which carries how to prepare an image.
  static strait::Result<Head> Load(const std::string& path);

  // Reads an image, resizes, crops and normalises it as in training, runs the head: {1, ...} on the CPU,
  // contiguous. Errors name the file.
  strait::Result<torch::Tensor> Run(const std::string& image_path);

 private:
  Head() = default;

  torch::jit::Module module_;
  std::vector<int64_t> input_shape_;  // {3, H, W}
  int resize_ = 0;                    // of the shorter side; 0: leave
  int crop_ = 0;                      // side of the centre square; 0: all
  std::vector<double> mean_, std_;
};

// Image files: `path` itself, or those in a directory, sorted.
strait::Result<std::vector<std::string>> ListImages(const std::string& path);

}  // namespace split_inference
