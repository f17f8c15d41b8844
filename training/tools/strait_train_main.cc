// strait-train: looks at a network's splits, trains bottleneck units, trains the built-in network, exports.
#include <fmt/core.h>

#include "codec/file_io.h"
#include "strait/version.h"
#include "training/tools/command.h"

int main(int argc, char** argv) {
  CLI::App app("Trains the bottleneck units of Strait.", "strait-train");
  app.set_version_flag("--version", STRAIT_VERSION);
  app.require_subcommand(0, 1);  // so that an unknown one is named
  app.footer("Exit codes: 0 done, 1 bad data or I/O, 2 bad usage.");
  strait::Command command;
  strait::AddSplitsCommand(app, command);
  strait::AddRunCommand(app, command);
  strait::AddBackboneCommand(app, command);
  strait::AddExportCommand(app, command);
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) throw CLI::RequiredError::Subcommand(1);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "strait-train: {}; see strait-train --help\n", error.what());
    return 2;
  }
  strait::Status status = command();
  if (status.ok()) status = strait::FlushStdout();
  if (status.ok()) return 0;
  fmt::print(stderr, "strait-train: {}\n", status.message());
  return 1;
}
