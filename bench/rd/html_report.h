// A measurement as one HTML file that opens from disk: plot, tables, examples, recipes, machine.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bench/rd/eval_data.h"
#include "bench/rd/run_dir.h"
#include "strait/result.h"

namespace strait {

// What a network says of one sample.
struct Answer {
  std::string text;       // a class, or for networks that answer for every pixel the mean IoU of the sample
  bool is_right = false;  // the class is the label; answers for every pixel are never called wrong
  std::vector<uint8_t> mask_png = {};  // the answer for every pixel, a colour a class
};

// What became of one sample at one quality of a run.
struct ExampleAnswer {
  std::string codec, level;
  size_t bytes = 0;
  Answer answer;
};

struct Example {
  std::vector<uint8_t> png;  // the crop that the network saw
  std::string label;
  std::vector<uint8_t> label_mask_png = {};  // of data with a label for every pixel
  Answer unsplit;
  std::vector<ExampleAnswer> answers;
};

// `count` samples spread evenly over the set, through real frames at the lowest, a middle and the highest level of
// each run, with checksums or without. Empty for feature arrays, which have no images.
Result<std::vector<Example>> MakeExamples(const std::vector<RunDir>& runs, const EvalDataOfSplits& data,
                                          size_t count, bool checksum);

struct HtmlContent {
  std::string title;
  std::string plot_svg;
  std::vector<std::pair<std::string, std::string>> tables;  // heading, and text aligned for a terminal
  std::vector<Example> examples;
  std::vector<std::pair<std::string, std::string>> recipes;  // run, TOML
  std::string machine;
};

std::string ToHtml(const HtmlContent& content);

// The machine and versions behind the figures, a line each.
std::string DescribeMachine();

}  // namespace strait
