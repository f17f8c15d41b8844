#include <fmt/format.h>

#include <memory>

#include "codec/check_folder.h"
#include "codec/file_io.h"
#include "planner/measure.h"
#include "planner/tools/command.h"

namespace strait {
namespace {

struct Options {
  MeasureOptions measure;
  std::string role = "both";
  std::string out;
};

Status Run(const Options& options) {
  MeasureOptions measure = options.measure;
  measure.role = options.role == "device" ? Role::kDevice : options.role == "server" ? Role::kServer : Role::kBoth;
  STRAIT_RETURN_IF_ERROR(CheckFolder(options.out));
  STRAIT_ASSIGN_OR_RETURN(const Profile profile, Measure(measure));
  STRAIT_RETURN_IF_ERROR(WriteTextAtomic(options.out, ToJson(profile)));
  fmt::print("{:<11} {:<10} {:>7} {:>7} {:>9} {:>5} {:>10} {:>21}\n", "task", "place", "quality", "threads",
             "clock GHz", "batch", "median us", "quartiles");
  for (const Timing& t : profile.timings) {
    fmt::print("{:<11} {:<10} {:>7g} {:>7} {:>9} {:>5} {:>10.1f} {:>10.1f} {:>10.1f}\n", TaskName(t.task), t.place,
               t.quality, t.threads, t.clock_hz > 0 ? fmt::format("{:.2f}", 1e-9 * t.clock_hz) : "-", t.batch,
               1e6 * t.seconds, 1e6 * t.low_seconds, 1e6 * t.high_seconds);
  }
  return Status();
}

}  // namespace

void AddProfileCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  MeasureOptions& measure = options->measure;
  CLI::App* command = app.add_subcommand("profile", "Measures what every part takes on this machine");
  command->add_option("RUN_DIR", measure.run_dirs, "Runs of strait-train, one for each split or one of several")
      ->required();
  command->add_option("--role", options->role, "What this machine is to be (default: both)")
      ->check(CLI::IsMember({"device", "server", "both"}));
  command->add_option("--out", options->out, "Profile to write")->required()->type_name("FILE.json");
  command->add_option("--backbone", measure.backbone_file, "TorchScript file instead of the recipe's");
  command->add_option("--data", measure.data_spec, "Data set instead of the recipe's; its images are what is run");
  command->add_option("--threads", measure.threads, "Numbers of threads to measure (default: 1)")
      ->delimiter(',')
      ->check(CLI::Range(1, 64));
  command->add_option("--batch", measure.batches, "Batch sizes to measure (default: 1)")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024));
  command->add_option("--jpeg", measure.jpeg_qualities, "JPEG qualities for sending whole images")
      ->delimiter(',')
      ->check(CLI::Range(1, 100));
  command->add_option("--rounds", measure.rounds, "Times each task is measured (default: 15)")
      ->check(CLI::Range(1, 10000));
  command->add_option("--machine", measure.machine, "Name of the machine (default: its processor's)");
  command
      ->add_option("--time-scale", measure.time_scale,
                   "Stand in for a machine so many times slower: every time is multiplied, and the file says so")
      ->check(NumberIn(1e-3, 1e6));
  command
      ->add_option("--busy-watts", measure.power.busy_watts,
                   "Power with all cores busy, where RAPL does not tell (default: 6)")
      ->check(NumberIn(0, 1e6));
  CLI::Option* idle =
      command->add_option("--idle-watts", measure.power.idle_watts, "Power while waiting (default: 2.5)")
          ->check(NumberIn(0, 1e6));
  command
      ->add_option("--joules-per-byte", measure.power.joules_per_byte,
                   "Energy of sending a byte (default: 3.5e-6, LTE)")
      ->check(NumberIn(0, 1e6));
  command->add_option("--clocks", measure.clocks_hz, "Clocks in Hz to model instead of those that cpufreq can set")
      ->delimiter(',')
      ->check(NumberIn(1, 1e12));
  command->footer(
      "Examples:\n  strait-plan profile runs/splits --role device --threads 1,2 --jpeg 10,20,50 --out device.json\n"
      "  strait-plan profile runs/splits --role server --jpeg 10,20,50 --out server.json\n"
      "Run it on both machines with the same runs, --batch and --jpeg; docs/planning.md says what is measured and "
      "modelled.");
  command->callback([options, idle, &chosen] {
    options->measure.idle_watts_given = idle->count() > 0;
    RequireUsage(CheckOptions(options->measure));
    chosen = [options] { return Run(*options); };
  });
}

}  // namespace strait
