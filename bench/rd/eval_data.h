// The validation set of a recipe, ready to measure codecs on: the network cut at the split, features, labels and
// the unsplit network's answers, and the 8-bit crops the network's input came from.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "strait/result.h"
#include "training/backbone.h"
#include "training/evaluate.h"
#include "training/recipe.h"

namespace strait {

struct EvalDataOptions {
  std::string data_spec;      // empty: the recipe's
  std::string backbone_file;  // empty: the recipe's
  // Only so many samples of a fixed shuffle (the trainer's); 0: as many as the recipe says.
  int64_t samples = 0;
};

struct EvalData {
  std::string data_spec, backbone_file;  // what it was built from
  Preprocess preprocess;                 // without augmentation
  Backbone backbone;
  SplitNetwork network;
  EvalSet set;
  std::unique_ptr<Dataset> images;  // null for feature arrays
  std::vector<size_t> indices;      // sample i of `set` is image indices[i]
};

// The same samples at every split that runs are measured at, by its name.
using EvalDataOfSplits = std::map<std::string, EvalData>;

// Runs the whole set through head and tail on the CPU, with progress on stderr.
// Errors: those of the backbone, split and data set, and kInvalidArgument for an empty set.
Result<EvalData> BuildEvalData(const Recipe& recipe, const EvalDataOptions& options);

// What image codecs compress: resized and cropped, before normalisation; one for each row of the set.
Result<std::vector<Image>> LoadCrops(const EvalData& data);

// Images of equal size to the network's float input, {images, 3, H, W}.
torch::Tensor ToInput(const std::vector<Image>& images, size_t first, size_t count, const Preprocess& preprocess);

}  // namespace strait
