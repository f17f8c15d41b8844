// The device's half of a split network: runs the head on images, encodes what crosses, has a server classify it;
// or, with a plan, runs each image where it is answered soonest. docs/two-processes.md.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "model_client.h"
#include "picture.h"
#include "plan_client.h"

namespace split_inference {
namespace {

using strait::Result;

struct Options {
  std::vector<std::string> inputs;
  bool local = false;
  double half_life_seconds = strait::LinkEstimatorOptions().half_life_seconds;
  double deadline_ms = 0, interval_ms = 0;
  ModelClientOptions model;
  PlanClientOptions plan;
};

void AddModelOptions(CLI::App& app, Options& options, CLI::Option* port, CLI::Option* plan) {
  ModelClientOptions& model = options.model;
  app.option_defaults()->group("One unit");
  CLI::Option* file = app.add_option("--model", model.model, "Model file of the unit")->type_name("MODEL.strait");
  CLI::Option* head =
      app.add_option("--head", model.head, "The network before the split (TorchScript)")->type_name("HEAD.ts");
  CLI::Option* quality =
      app.add_option("--quality", model.encode.quality, "Quality (default: the model's highest)");
  app.add_option("--max-bytes", model.encode.max_bytes, "Bytes a frame may have")->excludes(quality);
  app.add_flag("--checksum", model.encode.checksum, "Frames carry 4 bytes that catch corruption");
  app.add_option("--connections", model.connections, "Connections at once, the images dealt out among them")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  CLI::Option* tail = app.add_option("--tail", model.tail, "With --local")->type_name("TAIL.ts");
  CLI::Option* local = app.add_flag("--local", options.local, "No server: decode and run the tail here");
  file->needs(head);
  head->needs(file);
  tail->needs(local);
  local->needs(tail)->excludes(port);
  for (CLI::Option* option : app.get_options({})) {
    if (option->get_group() == "One unit") option->excludes(plan);
  }
}

void AddPlanOptions(CLI::App& app, Options& options, CLI::Option* plan) {
  PlanClientOptions& client = options.plan;
  app.option_defaults()->group("A plan");
  CLI::Option* halves =
      app.add_option("--halves", client.halves, "DIR/SPLIT/head.ts for each split of the plan")->type_name("DIR");
  app.add_option("--network", client.network, "The whole network (TorchScript), to run it here")
      ->type_name("NET.pt");
  app.add_option("--deadline-ms", options.deadline_ms, "For each image (default: none)")
      ->check(CLI::PositiveNumber);
  app.add_option("--min-accuracy", client.min_accuracy, "Percent that a choice must reach")
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--seconds-per-joule", client.seconds_per_joule, "What a joule is worth (default: 0)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--half-life", options.half_life_seconds,
                 "Seconds after which an estimate of the link counts half")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--interval-ms", options.interval_ms, "Mean of random pauses between images (default: none)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--seconds", client.run_seconds, "Goes over the images for so long, instead of --repeat")
      ->check(CLI::PositiveNumber);
  app.add_option("--device-slowdown", client.slowdown,
                 "Stand in for a device so many times slower: sleep that much after each computation")
      ->check(CLI::Range(1.0, 1e6));
  app.add_option("--classes", client.classes, "Names in the network's order: which class 0007-NAME.ppm is of")
      ->delimiter(',')
      ->type_name("NAME,...");
  app.add_option("--log", client.log, "A row for each image")->type_name("FILE.csv");
  plan->needs(halves);
  for (CLI::Option* option : app.get_options({})) {
    if (option->get_group() == "A plan" && option != plan) option->needs(plan);
  }
}

Result<size_t> Run(Options& options) {
  std::vector<std::string> images;
  for (const std::string& input : options.inputs) {
    STRAIT_ASSIGN_OR_RETURN(const std::vector<std::string> files, ListImages(input));
    images.insert(images.end(), files.begin(), files.end());
  }
  const ModelClientOptions& model = options.model;
  if (options.plan.plan.empty()) return RunModelClient(model, images);
  PlanClientOptions& plan = options.plan;
  plan.link.host = model.host;
  plan.link.port = model.port;
  plan.link.timeout = std::chrono::milliseconds(model.timeout_ms);
  plan.link.estimator.half_life_seconds = options.half_life_seconds;
  plan.repeat = model.repeat;
  plan.interval_seconds = 1e-3 * options.interval_ms;
  if (options.deadline_ms > 0) plan.deadline_seconds = 1e-3 * options.deadline_ms;
  return RunPlanClient(plan, images);
}

}  // namespace
}  // namespace split_inference

int main(int argc, char** argv) {
  split_inference::Options options;
  split_inference::ModelClientOptions& model = options.model;
  CLI::App app("Runs the head of a split network on images and has a server finish.", "split-inference-client");
  app.add_option("images", options.inputs, "Image files, or directories of them")->required()->type_name("PATH...");
  app.add_option("--host", model.host, "Server")->capture_default_str();
  CLI::Option* port = app.add_option("--port", model.port, "Its port");
  app.add_option("--repeat", model.repeat, "Times to go over the images")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--timeout-ms", model.timeout_ms, "For one round trip")
      ->check(CLI::Range(1, 3'600'000))
      ->capture_default_str();
  CLI::Option* plan =
      app.add_option("--plan", options.plan.plan, "Runs each image as a plan says is best for the link as it is")
          ->type_name("PLAN.json")
          ->group("A plan");
  split_inference::AddModelOptions(app, options, port, plan);
  split_inference::AddPlanOptions(app, options, plan);
  app.footer(
      "A line for each image on stdout: path, bytes of what was sent, then class:score, best first; last lines "
      "with "
      "means.\n"
      "Exit codes: 0 all answered, 1 not all, 2 bad usage.");
  try {
    app.parse(argc, argv);
    if (model.model.empty() && options.plan.plan.empty()) throw CLI::RequiredError("--model and --head, or --plan");
    if (!options.local && model.port == 0) throw CLI::RequiredError("--port");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const strait::Result<size_t> failures = split_inference::Run(options);
  if (!failures.ok()) std::fprintf(stderr, "client: %s\n", failures.status().message().c_str());
  return failures.ok() && *failures == 0 ? 0 : 1;
}
