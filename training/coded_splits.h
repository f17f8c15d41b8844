// What trained units make of a network's splits: the measured levels of run directories.
#pragma once

#include <string>
#include <vector>

#include "strait/model.h"
#include "strait/result.h"
#include "training/backbone.h"

namespace strait {

struct CodedSplit {
  std::string split;
  std::string run;                // the directory
  std::vector<LevelInfo> levels;  // from the fewest bytes, as measured at export through real frames
};

// The units of a run directory, of one split or of several. Errors: those of FindSplitModels and Model::Load,
// kModelMismatch where a unit belongs to another network (naming both hashes) or to another input shape.
Result<std::vector<CodedSplit>> ReadCodedSplits(const std::string& run_dir, const Backbone& backbone,
                                                const std::string& backbone_file);

}  // namespace strait
