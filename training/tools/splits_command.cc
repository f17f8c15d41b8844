#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "training/backbone.h"
#include "training/coded_splits.h"
#include "training/natural_bottlenecks.h"
#include "training/tools/command.h"

namespace strait {
namespace {

struct Options {
  std::string backbone;
  std::string input;
  std::vector<std::string> runs;
  bool natural = false;
  bool json = false;
};

// "3,128,128"; nullopt unless it is positive integers of at most nine digits.
std::optional<Shape> ParseShape(const std::string& text) {
  Shape shape;
  std::istringstream parts(text + ",");
  for (std::string part; std::getline(parts, part, ',');) {
    const bool digits = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || part.size() > 9 || std::stoll(part) == 0) return std::nullopt;
    shape.push_back(std::stoll(part));
  }
  return shape;
}

std::string CheckShape(const std::string& text) {
  return ParseShape(text) ? "" : fmt::format("wanted positive sizes such as 3,128,128, got \"{}\"", text);
}

// A split with what is said of it.
struct Row {
  SplitInfo split;
  NaturalMark mark;
  std::vector<CodedSplit> coded;
};

Result<std::vector<Row>> MakeRows(const Backbone& backbone, const Options& options) {
  const std::vector<NaturalMark> marks = MarkNaturalBottlenecks(backbone.splits(), backbone.input_shape());
  std::vector<CodedSplit> coded;
  for (const std::string& run : options.runs) {
    STRAIT_ASSIGN_OR_RETURN(const std::vector<CodedSplit> found, ReadCodedSplits(run, backbone, options.backbone));
    coded.insert(coded.end(), found.begin(), found.end());
  }
  std::vector<Row> rows;
  for (size_t i = 0; i < marks.size(); ++i) {
    Row row{backbone.splits()[i], marks[i], {}};
    std::copy_if(coded.begin(), coded.end(), std::back_inserter(row.coded),
                 [&row](const CodedSplit& one) { return one.split == row.split.name; });
    if (options.natural && !row.mark.by_elements && row.coded.empty()) continue;
    rows.push_back(std::move(row));
  }
  return rows;
}

nlohmann::ordered_json ToJson(const CodedSplit& coded) {
  nlohmann::ordered_json levels = nlohmann::ordered_json::array();
  for (const LevelInfo& level : coded.levels) {
    levels.push_back(
        {{"lambda", level.lambda}, {"bytes_per_sample", level.bytes_per_sample}, {"top1", level.top1}});
  }
  return {{"run", coded.run}, {"levels", std::move(levels)}};
}

void PrintJson(const Backbone& backbone, const std::vector<Row>& rows, const Options& options) {
  nlohmann::ordered_json splits = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    const SplitInfo& split = row.split;
    nlohmann::ordered_json json = {{"name", split.name},
                                   {"shape", split.shape},
                                   {"elements", split.elements},
                                   {"bytes_float32", 4 * split.elements},
                                   {"bytes_8bit", split.elements},
                                   {"macs_before", split.macs_before},
                                   {"macs_after", split.macs_after},
                                   {"params_before", split.params_before},
                                   {"params_after", split.params_after},
                                   {"compression_ratio", row.mark.compression_ratio},
                                   {"natural_by_elements", row.mark.by_elements},
                                   {"natural_by_bytes", row.mark.by_bytes}};
    if (!options.runs.empty()) {
      json["runs"] = nlohmann::ordered_json::array();
      for (const CodedSplit& coded : row.coded) json["runs"].push_back(ToJson(coded));
    }
    splits.push_back(std::move(json));
  }
  const nlohmann::ordered_json document = {
      {"backbone", options.backbone},      {"hash", backbone.hash()},
      {"input", backbone.input_shape()},   {"input_bytes_8bit", NumElements(backbone.input_shape())},
      {"output", backbone.output_shape()}, {"splits", std::move(splits)}};
  fmt::print("{}\n", document.dump(2));
}

// A float32 element is four bytes, an 8-bit one of the input a single one: what is small in bytes is in elements.
const char* MarkName(const NaturalMark& mark) {
  return mark.by_bytes ? "both" : mark.by_elements ? "elements" : "-";
}

// "41..204", smallest to largest of a figure over the levels of a run, for each run; "-" for none.
std::string Ranges(const std::vector<CodedSplit>& coded, double LevelInfo::*figure, int digits) {
  std::string text;
  for (const CodedSplit& one : coded) {
    const auto [low, high] =
        std::minmax_element(one.levels.begin(), one.levels.end(),
                            [figure](const LevelInfo& a, const LevelInfo& b) { return a.*figure < b.*figure; });
    if (low == one.levels.end()) continue;
    text +=
        fmt::format("{}{:.{}f}..{:.{}f}", text.empty() ? "" : ",", (*low).*figure, digits, (*high).*figure, digits);
  }
  return text.empty() ? "-" : text;
}

void PrintTable(const std::vector<Row>& rows, bool with_runs) {
  size_t width = 5;
  for (const Row& row : rows) width = std::max(width, row.split.name.size());
  fmt::print("{:<{}}  {:>14} {:>10} {:>13} {:>11} {:>13} {:>13} {:>13} {:>13} {:>7} {:>9}", "split", width, "shape",
             "elements", "bytes_float32", "bytes_8bit", "macs_before", "macs_after", "params_before",
             "params_after", "ratio", "natural");
  fmt::print("{}\n", with_runs ? fmt::format(" {:>14} {:>14}", "coded_bytes", "top1") : "");
  for (const auto& [split, mark, coded] : rows) {
    fmt::print("{:<{}}  {:>14} {:>10} {:>13} {:>11} {:>13} {:>13} {:>13} {:>13} {:>7.3g} {:>9}", split.name, width,
               ToString(split.shape), split.elements, 4 * split.elements, split.elements, split.macs_before,
               split.macs_after, split.params_before, split.params_after, mark.compression_ratio, MarkName(mark));
    fmt::print("{}\n", with_runs ? fmt::format(" {:>14} {:>14}", Ranges(coded, &LevelInfo::bytes_per_sample, 0),
                                               Ranges(coded, &LevelInfo::top1, 2))
                                 : "");
  }
}

Status PrintSplits(const Options& options) {
  STRAIT_ASSIGN_OR_RETURN(const Backbone backbone, Backbone::Load(options.backbone, *ParseShape(options.input)));
  STRAIT_ASSIGN_OR_RETURN(const std::vector<Row> rows, MakeRows(backbone, options));
  if (options.json) {
    PrintJson(backbone, rows, options);
  } else {
    PrintTable(rows, !options.runs.empty());
  }
  return Status();
}

}  // namespace

void AddSplitsCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("splits", "Lists every place where one tensor crosses a network");
  command->add_option("backbone", options->backbone, "TorchScript file")->required()->type_name("BACKBONE.pt");
  command->add_option("--input", options->input, "Shape of one input, without the batch")
      ->required()
      ->check(CheckShape)
      ->type_name("C,H,W");
  command->add_flag("--natural", options->natural, "Lists natural bottlenecks, and splits that --run names, alone");
  command
      ->add_option("--run", options->runs, "Adds the coded bytes and top-1 of the units trained there (repeatable)")
      ->take_all()
      ->expected(1)
      ->type_name("RUN_DIR");
  command->add_flag("--json", options->json, "Prints JSON instead of a table");
  command->footer(
      "Examples:\n  strait-train splits resnet.pt --input 3,128,128\n"
      "  strait-train splits resnet.pt --input 3,128,128 --natural --run runs/splits\n"
      "Sizes are of one sample; macs are multiply-adds, params are elements of the weights. ratio: bytes of the "
      "8-bit\n"
      "input for each byte of float32 features. natural: smaller than the input and all splits before, counted in\n"
      "elements, or in bytes too (both). coded_bytes and top1: smallest and largest over a unit's levels.");
  command->callback([options, &chosen] { chosen = [options] { return PrintSplits(*options); }; });
}

}  // namespace strait
