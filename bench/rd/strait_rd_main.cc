// strait-rd: rate-distortion curves of trained units and baselines over a validation set.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>

#include "bench/rd/rd_tool.h"
#include "codec/file_io.h"
#include "strait/version.h"

namespace {

constexpr int kBadData = 1;
constexpr int kBadUsage = 2;

void AddOptions(CLI::App& app, strait::RdToolOptions& options, std::string& qualities, std::string& checksum) {
  app.add_option("RUN_DIR", options.run_dirs,
                 "directories that `strait-train run` wrote, a curve each, and for each of several splits; none: "
                 "compares the tables of --measured");
  app.add_option("--data", options.data_spec,
                 "data set instead of the recipe's: imagefolder:DIR, cifar10:DIR, shapes, ...");
  app.add_option("--backbone", options.backbone_file, "TorchScript file instead of the recipe's");
  app.add_option("--baselines", options.baselines,
                 "any of raw,f16,u8,jpeg,webp,png,avif,hevc (the last two by ffmpeg)")
      ->delimiter(',')
      ->allow_extra_args(false)  // a run directory may follow
      ->check(CLI::IsMember(strait::RdToolBaselines()));
  app.add_option("--measured", options.measured_files,
                 "tables that --csv wrote over the same samples: their curves beside those measured now")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--samples", options.samples, "only so many samples, the same ones every time")
      ->check(CLI::Range(1LL, 1000000000LL));
  app.add_option("--bytes", options.bytes, "numbers of bytes to give the accuracy lost at, instead of 50 to 2000")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1.0, 1e12));
  app.add_option("--qualities", qualities, "levels, or all: also three qualities between each two levels")
      ->check(CLI::IsMember({"levels", "all"}));
  app.add_option("--checksum", checksum, "yes counts frames with their 4 bytes of checksum")
      ->check(CLI::IsMember({"yes", "no"}));
  app.add_flag(
      "--huffman", options.huffman,
      "also count the symbols of units without context under one Huffman table a level, as units were published");
  app.add_flag("--seeds", options.seeds,
               "runs whose recipes differ in seeds alone are one curve: means, with their standard deviations");
  app.add_option("--csv", options.csv_file, "write the rows here");
  app.add_option("--json", options.json_file, "write the rows and BD-rates here");
  app.add_option("--html", options.html_file,
                 "write a report here: plot, tables, examples, recipes and machine in one file");
  app.add_option("--plot", options.plot_file, "write F.svg here and F.png beside it")
      ->check([](const std::string& name) {
        return std::filesystem::path(name).extension() == ".svg" ? std::string()
                                                                 : "name must end in .svg, got " + name;
      });
}

// Options that say how runs are measured.
constexpr const char* kOptionsOfRuns[] = {"--data",     "--backbone", "--baselines", "--samples", "--qualities",
                                          "--checksum", "--huffman",  "--seeds",     "--html"};

void CheckRuns(const CLI::App& app, const strait::RdToolOptions& options) {
  if (!options.run_dirs.empty()) return;
  if (options.measured_files.empty()) throw CLI::RequiredError("RUN_DIR");
  for (const char* name : kOptionsOfRuns) {
    if (app.count(name) > 0) throw CLI::RequiresError(name, "RUN_DIR");
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures bytes per sample and accuracy of trained units and baselines.", "strait-rd"};
  app.set_version_flag("--version", STRAIT_VERSION);
  app.footer(
      "Exit codes: 0 done, 1 bad data or I/O, 2 bad usage.\nExample: strait-rd runs/first --baselines jpeg,webp,u8 "
      "--csv rd.csv --plot rd.svg");
  strait::RdToolOptions options;
  std::string qualities = "levels", checksum = "no";
  AddOptions(app, options, qualities, checksum);
  try {
    app.parse(argc, argv);
    CheckRuns(app, options);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "strait-rd: %s; see `strait-rd --help`\n", error.what());
    return kBadUsage;
  }
  options.between_levels = qualities == "all";
  options.checksum = checksum == "yes";
  std::sort(options.bytes.begin(), options.bytes.end());
  strait::Status status = strait::RunRdTool(options);
  if (status.ok()) status = strait::FlushStdout();
  if (status.ok()) return 0;
  std::fprintf(stderr, "strait-rd: %s\n", status.message().c_str());
  return kBadData;
}
