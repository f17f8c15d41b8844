// The architecture of the small built-in network: a residual network written as TorchScript from C++.
#pragma once

#include <torch/script.h>

#include <cstdint>

#include "training/recipe.h"

namespace strait {

// 3x3 stem of stride 2, four stages layer1..layer4 of residual blocks (two 3x3 convolutions with batch norm) at
// strides 1, 2, 2, 2, global average and a linear layer: [N, channels, H, W] to [N, classes]. In training mode,
// weights drawn from `seed` (He normal; the last batch norm of a block starts at a scale of 0.2).
torch::jit::Module MakeBuiltinNetwork(const NetworkRecipe& network, int64_t channels, int64_t classes,
                                      uint64_t seed);

}  // namespace strait
