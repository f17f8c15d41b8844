#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>

#include "training/backbone.h"
#include "training/tools/command.h"

namespace strait {
namespace {

struct Options {
  std::string backbone;
  std::string input;
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

void PrintJson(const Backbone& backbone, const std::string& path) {
  nlohmann::ordered_json splits = nlohmann::ordered_json::array();
  for (const SplitInfo& split : backbone.splits()) {
    splits.push_back({{"name", split.name},
                      {"shape", split.shape},
                      {"elements", split.elements},
                      {"bytes_float32", 4 * split.elements},
                      {"bytes_8bit", split.elements},
                      {"macs_before", split.macs_before},
                      {"macs_after", split.macs_after},
                      {"params_before", split.params_before},
                      {"params_after", split.params_after}});
  }
  const nlohmann::ordered_json document = {{"backbone", path},
                                           {"hash", backbone.hash()},
                                           {"input", backbone.input_shape()},
                                           {"output", backbone.output_shape()},
                                           {"splits", std::move(splits)}};
  fmt::print("{}\n", document.dump(2));
}

void PrintTable(const Backbone& backbone) {
  size_t width = 5;
  for (const SplitInfo& split : backbone.splits()) width = std::max(width, split.name.size());
  fmt::print("{:<{}}  {:>14} {:>10} {:>13} {:>11} {:>13} {:>13} {:>13} {:>13}\n", "split", width, "shape",
             "elements", "bytes_float32", "bytes_8bit", "macs_before", "macs_after", "params_before",
             "params_after");
  for (const SplitInfo& split : backbone.splits()) {
    fmt::print("{:<{}}  {:>14} {:>10} {:>13} {:>11} {:>13} {:>13} {:>13} {:>13}\n", split.name, width,
               ToString(split.shape), split.elements, 4 * split.elements, split.elements, split.macs_before,
               split.macs_after, split.params_before, split.params_after);
  }
}

Status PrintSplits(const Options& options) {
  STRAIT_ASSIGN_OR_RETURN(const Backbone backbone, Backbone::Load(options.backbone, *ParseShape(options.input)));
  if (options.json) {
    PrintJson(backbone, options.backbone);
  } else {
    PrintTable(backbone);
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
  command->add_flag("--json", options->json, "Prints JSON instead of a table");
  command->footer(
      "Example:\n  strait-train splits resnet.pt --input 3,128,128\n"
      "Sizes are of one sample; macs are multiply-adds, params are elements of the weights.");
  command->callback([options, &chosen] { chosen = [options] { return PrintSplits(*options); }; });
}

}  // namespace strait
