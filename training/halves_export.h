// The two halves of a network as TorchScript files, and images to try them on: what a deployment starts from.
#pragma once

#include <string>

#include "strait/result.h"
#include "training/backbone.h"
#include "training/recipe.h"

namespace strait {

// Cuts the recipe's backbone at its split. A wrong or changed backbone file is kModelMismatch when `backbone_hash`
// (of the run's model, empty: unknown) says so.
Result<SplitNetwork> CutForRecipe(const Recipe& recipe, const std::string& backbone_hash);

// Writes DIR/head.ts and DIR/tail.ts. The head carries what a device needs to prepare an image, as attributes:
// input_shape (C, H, W), resize, crop, mean and std, as docs/training.md explains them under [data].
Status WriteHalves(const SplitNetwork& network, const Recipe& recipe, const std::string& dir);

// Saves a module as a file that is either whole or absent; makes the folder it lies in.
Status WriteModule(const torch::jit::Module& module, const std::string& path);

// Writes the first `count` images of the recipe's validation data as DIR/0000-CLASS.ppm and so on, as they are
// before any preprocessing; OpenCV and most viewers read them. Errors: kInvalidArgument (data of feature arrays),
// kIo.
Status WriteImages(const Recipe& recipe, int64_t count, const std::string& dir);

}  // namespace strait
