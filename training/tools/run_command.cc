#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "training/recipe.h"
#include "training/split_runs.h"
#include "training/tools/command.h"
#include "training/trainer.h"

namespace strait {
namespace {

struct Options {
  std::string recipe;
  std::vector<std::string> overrides;
  RunOptions run;
};

Status Run(const Options& options) {
  STRAIT_ASSIGN_OR_RETURN(const Recipe recipe, LoadRecipe(options.recipe, options.overrides));
  STRAIT_RETURN_IF_ERROR(RequireForRun(recipe));
  RunOptions run = options.run;
  if (run.out_dir.empty()) run.out_dir = "runs/" + std::filesystem::path(options.recipe).stem().string();
  return recipe.split.points.empty() ? RunTraining(recipe, run) : RunSplits(recipe, run);
}

}  // namespace

void AddRunCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", "Trains the bottleneck units of a recipe and exports them");
  command->add_option("recipe", options->recipe, "Recipe")->required()->type_name("RECIPE.toml");
  command->add_option("--set", options->overrides, "Overrides a key of the recipe (repeatable)")
      ->take_all()
      ->expected(1)
      ->type_name("table.key=value");
  command->add_option("--out", options->run.out_dir, "Run directory (default: runs/ and the recipe's name)")
      ->type_name("DIR");
  command->add_flag("--resume", options->run.resume, "Continues the run in that directory");
  command->footer(
      "Examples:\n  strait-train run layer2.toml\n"
      "  strait-train run layer2.toml --set train.epochs=3 --out runs/short\n"
      "  strait-train run layer2.toml --resume\n"
      "A recipe with split.points trains a unit at each of them, into folders of the run directory.");
  command->callback([options, &chosen] { chosen = [options] { return Run(*options); }; });
}

}  // namespace strait
