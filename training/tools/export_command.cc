#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "codec/model_impl.h"
#include "entropy/error.h"
#include "strait/model.h"
#include "training/halves_export.h"
#include "training/run_models.h"
#include "training/tools/command.h"
#include "training/torchscript_export.h"

namespace strait {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string source;
  std::string torchscript_dir;
  std::string halves_dir;
  std::string images_dir;
  std::string backbone;
  int64_t count = 64;
};

using Models = std::vector<std::shared_ptr<const Model>>;

// The model of a file, or those of a run directory.
Result<Models> OpenModels(const std::string& source) {
  std::error_code error;
  if (!fs::is_directory(source, error)) return LoadModels({source});
  STRAIT_ASSIGN_OR_RETURN(const std::vector<std::string> files, FindModels(source));
  return LoadModels(files);
}

Status ExportTorchScript(const Models& models, const std::string& dir) {
  for (size_t i = 0; i < models.size(); ++i) {
    STRAIT_ASSIGN_OR_RETURN(const TorchScriptUnit unit, BuildTorchScript(models[i]->impl().spec));
    const std::string suffix = models.size() == 1 ? ".ts" : fmt::format("-{}.ts", i);
    STRAIT_RETURN_IF_ERROR(WriteModule(unit.analysis, dir + "/analysis" + suffix));
    STRAIT_RETURN_IF_ERROR(WriteModule(unit.synthesis, dir + "/synthesis" + suffix));
  }
  return Status();
}

Status Export(const Options& options) {
  const bool needs_recipe = !options.halves_dir.empty() || !options.images_dir.empty();
  std::error_code error;
  if (needs_recipe && fs::exists(options.source, error) && !fs::is_directory(options.source, error)) {
    return Error(StatusCode::kInvalidArgument, options.source,
                 ": is a model file; --halves and --images need the run directory, which holds the recipe");
  }
  STRAIT_ASSIGN_OR_RETURN(const Models models, OpenModels(options.source));
  if (!options.torchscript_dir.empty()) {
    STRAIT_RETURN_IF_ERROR(ExportTorchScript(models, options.torchscript_dir));
  }
  if (!needs_recipe) return Status();
  std::vector<std::string> overrides;
  if (!options.backbone.empty()) overrides.push_back("backbone.file=" + options.backbone);
  STRAIT_ASSIGN_OR_RETURN(const Recipe recipe, LoadRecipe(options.source + "/recipe.toml", overrides));
  STRAIT_RETURN_IF_ERROR(RequireForRun(recipe));
  if (!options.halves_dir.empty()) {
    STRAIT_ASSIGN_OR_RETURN(const SplitNetwork network, CutForRecipe(recipe, BackboneHashOf(*models[0])));
    STRAIT_RETURN_IF_ERROR(WriteHalves(network, recipe, options.halves_dir));
  }
  if (!options.images_dir.empty()) STRAIT_RETURN_IF_ERROR(WriteImages(recipe, options.count, options.images_dir));
  return Status();
}

}  // namespace

void AddExportCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("export", "Writes a trained unit, or the network's halves, as TorchScript");
  command->add_option("source", options->source, "Model file or run directory")
      ->required()
      ->type_name("MODEL_OR_RUN_DIR");
  CLI::Option* torchscript =
      command->add_option("--torchscript", options->torchscript_dir, "Writes analysis.ts and synthesis.ts here");
  CLI::Option* halves = command->add_option("--halves", options->halves_dir, "Writes head.ts and tail.ts here");
  CLI::Option* images = command->add_option("--images", options->images_dir, "Writes validation images here (PPM)");
  for (CLI::Option* option : {torchscript, halves, images}) option->type_name("DIR");
  command->add_option("--count", options->count, "Images to write")
      ->needs(images)
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--backbone", options->backbone, "Backbone, where it is not the recipe's file any more")
      ->type_name("BACKBONE.pt");
  command->footer(
      "Examples:\n  strait-train export model.strait --torchscript gpu\n"
      "  strait-train export runs/first --halves deploy --images deploy/images");
  command->callback([options, &chosen] {
    if (options->torchscript_dir.empty() && options->halves_dir.empty() && options->images_dir.empty()) {
      throw CLI::RequiredError("one of --torchscript, --halves and --images");
    }
    chosen = [options] { return Export(*options); };
  });
}

}  // namespace strait
