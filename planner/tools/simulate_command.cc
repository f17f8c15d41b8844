#include <fmt/format.h>

#include <memory>

#include "codec/check_folder.h"
#include "codec/file_io.h"
#include "planner/simulate.h"
#include "planner/tools/command.h"

namespace strait {
namespace {

struct Options {
  std::string plan, trace, csv, plot;
  SimulateOptions simulate;
};

Status Run(const Options& options) {
  if (!options.plot.empty()) STRAIT_RETURN_IF_ERROR(CheckFolder(options.plot));
  STRAIT_ASSIGN_OR_RETURN(const std::shared_ptr<const Plan> plan, Plan::Load(options.plan));
  STRAIT_ASSIGN_OR_RETURN(const LinkTrace trace, LinkTrace::Load(options.trace));
  STRAIT_ASSIGN_OR_RETURN(const std::vector<PolicyResult> results, Simulate(plan, trace, options.simulate));
  if (!options.csv.empty()) STRAIT_RETURN_IF_ERROR(WriteTextAtomic(options.csv, ToCsv(results)));
  if (!options.plot.empty()) {
    STRAIT_RETURN_IF_ERROR(PlotLatencies(results, options.simulate.min_accuracy, options.plot));
  }
  fmt::print("{}", ToTable(results, options.simulate.min_accuracy));
  return Status();
}

}  // namespace

void AddSimulateCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  SimulateOptions& simulate = options->simulate;
  CLI::App* command = app.add_subcommand("simulate", "Replays requests over a trace, one policy after another");
  command->add_option("PLAN", options->plan, "Plan of strait-plan solve")->required()->type_name("PLAN.json");
  command->add_option("TRACE", options->trace, "Trace: seconds,bytes_per_second,rtt_seconds,loss")
      ->required()
      ->type_name("TRACE.csv");
  command->add_option("--requests", simulate.requests, "Number of requests (default: 10000)");
  command->add_option("--interval", simulate.interval_seconds, "Mean seconds between them (default: 0.5)");
  command->add_option("--deadline", simulate.deadline_scale_seconds,
                      "Scale in seconds of Weibull-distributed deadlines (default: 0, none)");
  command->add_option("--deadline-shape", simulate.deadline_shape, "Shape of their distribution (default: 1.5)");
  command->add_option("--min-accuracy", simulate.min_accuracy, "Percent that a choice must reach (default: 0)");
  command->add_option("--batch", simulate.batch,
                      "Samples of a request, rounded up to a batch of the plan (default: 1)");
  command->add_option("--server-load", simulate.server_load,
                      "Share of the server that others keep busy (default: 0)");
  command->add_option("--seconds-per-joule", simulate.seconds_per_joule, "What a joule is worth (default: 0)");
  command
      ->add_option("--half-life", simulate.estimator.half_life_seconds,
                   fmt::format("Seconds after which an estimate of the link counts half (default: {:g})",
                               simulate.estimator.half_life_seconds))
      ->check(NumberIn(1e-6, 1e9));
  command->add_option("--seed", simulate.seed, "Of requests, deadlines and losses");
  command->add_option("--csv", options->csv, "Writes every policy here, every static one too");
  command->add_option("--plot", options->plot, "Writes F.svg here and F.png beside it")
      ->check([](const std::string& name) { return CheckPlotName(name).message(); })
      ->type_name("F.svg");
  command->footer(
      "Example:\n  strait-plan simulate plan.json moving.csv --min-accuracy 84 --deadline 0.2 --plot moving.svg");
  command->callback([options, &chosen] {
    RequireUsage(CheckOptions(options->simulate));
    chosen = [options] { return Run(*options); };
  });
}

}  // namespace strait
