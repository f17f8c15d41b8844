// The models that a run directory holds, as `strait-train run` left them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "strait/model.h"
#include "strait/result.h"

namespace strait {

// DIR/model.strait, or else DIR/model-0.strait, model-1.strait, ... Errors: kIo, saying which command writes one.
Result<std::vector<std::string>> FindModels(const std::string& dir);

Result<std::vector<std::shared_ptr<const Model>>> LoadModels(const std::vector<std::string>& files);

// Of the network a model was trained against; empty when its manifest does not say.
std::string BackboneHashOf(const Model& model);

}  // namespace strait
