// A unit of a model file as two TorchScript modules, for machines that run the transforms in LibTorch (a GPU
// server) and leave the entropy coding to Strait. Built from the model's op list, so any model file will do.
//
//   analysis.forward(features, quality: float)            float latents times gain, not yet rounded:
//                                                         round half to even gives the symbols (but for saturation)
//   synthesis.forward(symbols, quality: float)            restored features; symbols are int16 or float
//   synthesis.forward_each(symbols, qualities: [N])       the same with a quality for each sample of the batch
//
// Shapes: features {N, C, H, W} or {N, T, C} of a size the unit restores as it is (docs/format.md, padding),
// symbols as Decoder::DecodeSymbols gives them. A quality is rounded to sixteenths of a level as the runtime does.
#pragma once

#include <torch/script.h>

#include "codec/model_spec.h"
#include "strait/result.h"

namespace strait {

struct TorchScriptUnit {
  torch::jit::Module analysis;
  torch::jit::Module synthesis;
};

// `spec` is one that ParseModel accepts. The modules own copies of its weights. Errors: kInternal (LibTorch
// refuses).
Result<TorchScriptUnit> BuildTorchScript(const ModelSpec& spec);

}  // namespace strait
