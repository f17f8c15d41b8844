// What the subcommands of strait-train share.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "strait/status.h"

namespace strait {

// Set by the subcommand the user chose, run by main.
using Command = std::function<Status()>;

void AddSplitsCommand(CLI::App& app, Command& chosen);
void AddRunCommand(CLI::App& app, Command& chosen);
void AddBackboneCommand(CLI::App& app, Command& chosen);
void AddExportCommand(CLI::App& app, Command& chosen);

}  // namespace strait
