// A directory that `strait-train run` wrote for a split: its recipe and its models, measured as one curve.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/rd/eval_data.h"
#include "strait/result.h"
#include "strait/strait.hpp"
#include "training/evaluate.h"
#include "training/recipe.h"

namespace strait {

struct RunDir {
  std::string path;
  std::string codec;  // the curve's name: last component of the path, of a run of several splits RUN/SPLIT
  Recipe recipe;
  std::vector<std::string> model_files;
  // One model of several levels, or (datta2022) one model for each lambda.
  std::vector<std::shared_ptr<const Model>> models;
};

// Reads PATH/recipe.toml and PATH/model.strait, or else PATH/model-0.strait, model-1.strait, ...; of a run of
// several splits PATH/SPLIT/recipe.toml and so on for each, in the recipe's order. Errors name the file; without a
// model the message says which command writes one.
Result<std::vector<RunDir>> OpenRunDir(const std::string& path);

// Runs measured together must see the same samples. Errors: kInvalidArgument naming both runs and what differs
// (data set unless `data_given`, preprocessing, input shape).
Status CheckSameSetting(const RunDir& first, const RunDir& other, bool data_given);

// Every model must come from the backbone in `data` and restore its feature shape. Errors: kModelMismatch naming
// both hashes.
Status CheckModels(const RunDir& run, const EvalData& data);

// Of the curve under a Huffman code beside that of `codec`.
inline std::string HuffmanName(const std::string& codec) { return codec + "-huffman"; }

struct RunMeasure {
  bool between_levels = false;  // also the three qualities between each two levels
  bool checksum = false;        // frames carry their 4 bytes of checksum
  // A second curve, NAME-huffman, of models without context: the same symbols under one Huffman table a level.
  bool huffman = false;
};

// Every level through real frames, and with `huffman` a curve of the levels alone behind it; codec is the run's
// name, level the level's index (or quality).
Result<std::vector<RdPoint>> EvaluateRun(const RunDir& run, const EvalData& data, const RunMeasure& measure);

// Multiply-adds and parameters of each run's unit and their share of the half they sit in, as an aligned table.
std::string CostTable(const std::vector<RunDir>& runs, const EvalDataOfSplits& data);

}  // namespace strait
