// What the subcommands of strait-plan share.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "strait/status.h"

namespace strait {

// Set by the subcommand the user chose, run by main.
using Command = std::function<Status()>;

void AddProfileCommand(CLI::App& app, Command& chosen);
void AddSolveCommand(CLI::App& app, Command& chosen);
void AddShowCommand(CLI::App& app, Command& chosen);
void AddTraceCommand(CLI::App& app, Command& chosen);
void AddSimulateCommand(CLI::App& app, Command& chosen);

}  // namespace strait
