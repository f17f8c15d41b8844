#include <fmt/format.h>

#include <memory>

#include "codec/file_io.h"
#include "planner/link_trace.h"
#include "planner/tools/command.h"

namespace strait {
namespace {

constexpr double kMaxPoints = 1e7;

struct Options {
  std::string kind, out;
  double seconds = 600, step_seconds = 0.5;
  uint64_t seed = 1;
};

Status CheckLength(const Options& options) {
  if (options.seconds < 2 * options.step_seconds) {
    return Status(StatusCode::kInvalidArgument, "--seconds: a trace needs at least two steps");
  }
  if (options.seconds / options.step_seconds > kMaxPoints) {
    return Status(StatusCode::kInvalidArgument,
                  "--seconds: a trace of more than 1e7 steps; choose a longer --step");
  }
  return Status();
}

Status Run(const Options& options) {
  const LinkTrace trace = DrawTrace(options.kind, options.seconds, options.step_seconds, options.seed);
  return WriteTextAtomic(options.out, ToCsv(trace));
}

}  // namespace

void AddTraceCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("trace", "Draws a trace of a changing link from a Markov chain");
  command->add_option("KIND", options->kind, "Kind of link")->required()->check(CLI::IsMember(TraceKinds()));
  command->add_option("--out", options->out, "Trace to write")->required()->type_name("FILE.csv");
  command->add_option("--seconds", options->seconds, "Length (default: 600)")->check(NumberIn(1, 1e7));
  command->add_option("--step", options->step_seconds, "Seconds between points (default: 0.5)")
      ->check(NumberIn(1e-3, 60));
  command->add_option("--seed", options->seed, "Of the draw");
  command->footer("Example:\n  strait-plan trace moving --seconds 3600 --out moving.csv");
  command->callback([options, &chosen] {
    RequireUsage(CheckLength(*options));
    chosen = [options] { return Run(*options); };
  });
}

}  // namespace strait
