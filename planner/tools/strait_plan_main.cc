// strait-plan: measures both sides, searches what is worth running, shows it, and replays it over changing links.
#include <fmt/core.h>

#include <exception>
#include <new>

#include "codec/file_io.h"
#include "entropy/error.h"
#include "planner/tools/command.h"
#include "strait/version.h"

namespace {

// With what a command throws as its status: fmt when stdout is full, the standard library when memory ends.
strait::Status Run(const strait::Command& command) {
  try {
    STRAIT_RETURN_IF_ERROR(command());
    return strait::FlushStdout();
  } catch (const std::bad_alloc&) {
    return strait::Status(strait::StatusCode::kLimitExceeded, "out of memory; give the process more");
  } catch (const std::exception& error) {
    STRAIT_RETURN_IF_ERROR(strait::FlushStdout());
    return strait::Error(strait::StatusCode::kInternal, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Plans where to cut a network and how hard to squeeze what crosses.", "strait-plan");
  app.set_version_flag("--version", STRAIT_VERSION);
  app.require_subcommand(0, 1);  // so that an unknown one is named
  app.footer("Exit codes: 0 done, 1 bad data or I/O, 2 bad usage.");
  strait::Command command;
  strait::AddProfileCommand(app, command);
  strait::AddSolveCommand(app, command);
  strait::AddShowCommand(app, command);
  strait::AddTraceCommand(app, command);
  strait::AddSimulateCommand(app, command);
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) throw CLI::RequiredError::Subcommand(1);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "strait-plan: {}; see strait-plan --help\n", error.what());
    return 2;
  }
  const strait::Status status = Run(command);
  if (status.ok()) return 0;
  fmt::print(stderr, "strait-plan: {}\n", status.message());
  return 1;
}
