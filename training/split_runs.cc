#include "training/split_runs.h"

#include <fmt/core.h>

#include <filesystem>
#include <vector>

#include "codec/file_io.h"
#include "entropy/error.h"
#include "training/backbone.h"
#include "training/bottleneck_unit.h"
#include "training/run_state.h"

namespace strait {
namespace {

namespace fs = std::filesystem;

struct SplitRun {
  Recipe recipe;
  std::string dir;
  RunState state = RunState::kNotStarted;
};

Status CheckDirectory(const RunOptions& options) {
  std::error_code error;
  const std::string& dir = options.out_dir;
  if (fs::exists(dir + "/checkpoint.pt", error)) {
    return Error(StatusCode::kInvalidArgument, dir,
                 "/checkpoint.pt: a run of a single split is here; choose another --out");
  }
  const bool exists = fs::exists(dir + "/recipe.toml", error);
  if (exists && !options.resume) {
    return Error(StatusCode::kInvalidArgument, dir,
                 "/recipe.toml: a run is here already; continue it with --resume or choose another --out");
  }
  if (options.resume && !exists) {
    return Error(StatusCode::kIo, dir,
                 "/recipe.toml: not found, nothing to resume; start without --resume or name the run with --out");
  }
  return Status();
}

// Before anything slow: a run that would fail at its last split ends here.
Result<std::vector<SplitRun>> PrepareSplits(const Recipe& recipe, const RunOptions& options) {
  STRAIT_RETURN_IF_ERROR(CheckDirectory(options));
  std::vector<SplitRun> runs;
  for (const std::string& split : recipe.split.points) {
    STRAIT_ASSIGN_OR_RETURN(Recipe one, RecipeAt(recipe, split));
    STRAIT_RETURN_IF_ERROR(RequireForRun(one));
    runs.push_back({std::move(one), options.out_dir + "/" + split});
  }
  STRAIT_ASSIGN_OR_RETURN(const Backbone backbone, Backbone::Load(recipe.backbone.file, recipe.backbone.input));
  for (SplitRun& run : runs) {
    STRAIT_ASSIGN_OR_RETURN(const SplitNetwork network, backbone.Cut(run.recipe.split.point));
    if (const Status fits = CheckUnitFits(run.recipe.unit, network.info.shape); !fits.ok()) {
      return Error(fits.code(), run.recipe.path, ": ", run.recipe.split.point, ": ", fits.message());
    }
    STRAIT_ASSIGN_OR_RETURN(run.state, ReadRunState(run.dir, run.recipe, backbone.hash()));
    if (run.state != RunState::kNotStarted && !options.resume) {
      return Error(StatusCode::kInvalidArgument, run.dir,
                   "/checkpoint.pt: a run is here already; continue it with --resume or choose another --out");
    }
  }
  return runs;
}

// A run that could not begin leaves nothing behind: neither the recipe nor an empty folder.
void RemoveUnlessStarted(const std::vector<SplitRun>& runs, const std::string& dir) {
  std::error_code error;
  for (const SplitRun& run : runs) {
    if (fs::exists(run.dir, error)) return;
  }
  fs::remove(dir + "/recipe.toml", error);
  fs::remove(dir, error);  // fails where it holds something else
}

}  // namespace

Status RunSplits(const Recipe& recipe, const RunOptions& options) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<SplitRun> runs, PrepareSplits(recipe, options));
  std::error_code error;
  fs::create_directories(options.out_dir, error);
  if (error) {
    return Error(StatusCode::kIo, options.out_dir, ": cannot create the run directory: ", error.message());
  }
  const std::string toml = ToToml(recipe);
  STRAIT_RETURN_IF_ERROR(WriteTextAtomic(options.out_dir + "/recipe.toml", toml));
  for (size_t i = 0; i < runs.size(); ++i) {
    const SplitRun& run = runs[i];
    const std::string label = fmt::format("{} ({} of {})", run.recipe.split.point, i + 1, runs.size());
    if (run.state == RunState::kFinished) {
      fmt::print(stderr, "{}: finished, skipped\n", label);
      continue;
    }
    fmt::print(stderr, "{}: {}\n", label, run.state == RunState::kUnfinished ? "resumed" : "started");
    RunOptions part = options;
    part.out_dir = run.dir;
    part.whole_dir = options.out_dir;
    part.resume = run.state == RunState::kUnfinished;
    if (const Status status = RunTraining(run.recipe, part); !status.ok()) {
      RemoveUnlessStarted(runs, options.out_dir);
      return Error(status.code(), run.recipe.split.point, ": ", status.message());
    }
  }
  return Status();
}

}  // namespace strait
