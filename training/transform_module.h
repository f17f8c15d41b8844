// A transform under training: a chain of layers that runs in LibTorch and exports to the runtime's op list.
// Feature maps are [N, C, H, W], tokens [N, T, C]. Batch norm is folded into the layer before it at export.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "codec/model_spec.h"

namespace strait {

class TransformModuleImpl : public torch::nn::Module {
 public:
  enum class Activation : uint8_t { kNone, kRelu };

  struct ConvOptions {
    int64_t in = 0;
    int64_t out = 0;
    int64_t kernel = 1;  // odd; padding is kernel / 2
    int64_t stride = 1;
    int64_t groups = 1;
    bool batch_norm = false;
    Activation activation = Activation::kNone;
  };

  // Each appends a layer that reads the previous one.
  void AddConv(const ConvOptions& options);
  // Restores a size divided by a strided convolution of the same kernel: output padding is stride - 1.
  void AddConvTranspose(const ConvOptions& options);
  void AddLinear(int64_t in, int64_t out, Activation activation);
  void AddPixelShuffle(int factor);
  void AddRelu();
  // Adds the output of layer `layer` (0 is the transform's input, k the k-th layer added).
  void AddResidual(size_t layer);

  // Drops what the last layer that has weights makes of other channels than these, and what the first one reads of
  // them. Layers of one group only; the size of every optimiser's parameters changes.
  void KeepOutputs(const torch::Tensor& channels);
  void KeepInputs(const torch::Tensor& channels);

  size_t num_layers() const { return layers_.size(); }
  torch::Tensor forward(const torch::Tensor& src);

  // The op list with today's weights, batch norm folded from its running statistics.
  Transform Export() const;

 private:
  enum class Kind : uint8_t { kConv, kConvTranspose, kLinear, kPixelShuffle, kRelu, kResidual };
  struct Layer {
    Kind kind = Kind::kRelu;
    torch::Tensor weight, bias;
    torch::nn::BatchNorm2d norm{nullptr};
    int64_t kernel = 1;
    int64_t stride = 1;
    int64_t groups = 1;
    int factor = 1;
    size_t residual = 0;
    bool relu = false;
  };

  void AddConvLike(Kind kind, const ConvOptions& options);
  torch::Tensor RegisterWeight(at::IntArrayRef shape, int64_t fan_in, bool relu_follows);
  std::vector<Layer> layers_;
};
TORCH_MODULE(TransformModule);

}  // namespace strait
