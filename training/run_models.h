// The models that a run directory holds, as `strait-train run` left them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "strait/model.h"
#include "strait/result.h"

namespace strait {

// DIR/model.strait, or else DIR/model-0.strait, model-1.strait, ... Errors: kIo, saying which command writes one.
// A run directory of several splits is kInvalidArgument, naming the folders to give instead.
Result<std::vector<std::string>> FindModels(const std::string& dir);

struct SplitModels {
  std::string split;
  std::vector<std::string> files;  // as FindModels
};

// The units of a run directory, whether of several splits (in the recipe's order) or of one. Errors: those of
// LoadRecipe and FindModels, the latter also where a split's run has not ended.
Result<std::vector<SplitModels>> FindSplitModels(const std::string& dir);

Result<std::vector<std::shared_ptr<const Model>>> LoadModels(const std::vector<std::string>& files);

// Of the network a model was trained against; empty when its manifest does not say.
std::string BackboneHashOf(const Model& model);

}  // namespace strait
