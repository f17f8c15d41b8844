// The architectures of the small built-in networks, written as TorchScript from C++.
#pragma once

#include <torch/script.h>

#include <cstdint>

#include "strait/result.h"
#include "training/recipe.h"

namespace strait {

// In training mode, weights drawn from `seed`; images [N, 3, H, W] to logits. kInvalidArgument when `side` does not
// suit the kind.
//   resnet: 3x3 stem of stride 2, four stages layer1 .. layer4 of residual blocks (two 3x3 convolutions with batch
//     norm) at strides 1, 2, 2, 2, global average, linear: [N, classes] (He et al. 2016)
//   encoder-decoder: the same stem and layer1 .. layer3, then up1 .. up3 (nearest neighbour upsampling by 2, 3x3
//     convolution with batch norm) and a 1x1 convolution: [N, classes + 1, H, W], class 0 is the background; H and
//     W are multiples of 8
//   vit: 8x8 patches as tokens of 4 * width channels, blocks block1, block2, ... of attention with 4 heads and a
//     two-layer perceptron, mean, linear: [N, classes] (Dosovitskiy et al. 2021). Images are side x side, a
//     multiple of 8; other kinds ignore `side`
Result<torch::jit::Module> MakeBuiltinNetwork(const NetworkRecipe& network, int64_t side, int64_t classes,
                                              uint64_t seed);

}  // namespace strait
