#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "training/builtin_backbone.h"
#include "training/recipe.h"
#include "training/tools/command.h"

namespace strait {
namespace {

struct Options {
  std::string recipe;
  std::string out;
  std::vector<std::string> overrides;
};

Status Train(const Options& options) {
  const bool embedded = options.recipe.empty();
  Result<Recipe> recipe = embedded ? ParseRecipe(DefaultBackboneRecipe(), "built-in recipe", options.overrides)
                                   : LoadRecipe(options.recipe, options.overrides);
  if (!recipe.ok()) return recipe.status();
  STRAIT_ASSIGN_OR_RETURN(const double accuracy, TrainBuiltinBackbone(*recipe, options.out));
  fmt::print("{}: accuracy {:.2f} %\n", options.out, accuracy);
  return Status();
}

}  // namespace

void AddBackboneCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("backbone", "Trains the small built-in network");
  command->add_option("recipe", options->recipe, "Recipe (default: the data set `shapes`, built in)")
      ->type_name("RECIPE.toml");
  command->add_option("--out", options->out, "TorchScript file to write")->required()->type_name("BACKBONE.pt");
  command->add_option("--set", options->overrides, "Overrides a key of the recipe (repeatable)")
      ->take_all()
      ->expected(1)
      ->type_name("table.key=value");
  command->footer(
      "Examples:\n  strait-train backbone --out shapes.pt\n"
      "  strait-train backbone --out shapes.pt --set train.epochs=2 --set network.width=8");
  command->callback([options, &chosen] { chosen = [options] { return Train(*options); }; });
}

}  // namespace strait
