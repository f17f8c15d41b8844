// Trains the small built-in network, so that everything can be tried without a network of one's own.
#pragma once

#include <string>

#include "strait/result.h"
#include "training/recipe.h"

namespace strait {

// What `strait-train backbone` trains without a recipe: `shapes`, about a minute on two cores.
const char* DefaultBackboneRecipe();

// Trains on recipe.data with AdamW, learning rate cosine to zero, as [train] and [network] say; writes a line an
// epoch to stderr and the network to `out_path`, atomically, as TorchScript on the CPU. Returns its accuracy in
// percent on the validation set, top-1 or mean IoU. Errors: those of the data set, kInvalidArgument (device), kIo,
// kInternal (loss not finite).
Result<double> TrainBuiltinBackbone(const Recipe& recipe, const std::string& out_path);

}  // namespace strait
