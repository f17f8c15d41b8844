// What the subcommands of strait-plan share.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "strait/status.h"

namespace strait {

// Set by the subcommand the user chose, run by main.
using Command = std::function<Status()>;

// For callbacks: an error is bad usage, as one of the parser's.
inline void RequireUsage(const Status& status) {
  if (!status.ok()) throw CLI::ValidationError(status.message());
}

// A number of [low, high]. CLI::Range and its like let NaN pass.
inline CLI::Validator NumberIn(double low, double high) {
  const auto check = [low, high](const std::string& text) {
    double value = 0;
    const bool in_range = CLI::detail::lexical_cast(text, value) && value >= low && value <= high;
    return in_range ? "" : fmt::format("wanted a number of {:g} to {:g}, got \"{}\"", low, high, text);
  };
  return CLI::Validator(check, fmt::format("FLOAT in [{:g} - {:g}]", low, high));
}

void AddProfileCommand(CLI::App& app, Command& chosen);
void AddSolveCommand(CLI::App& app, Command& chosen);
void AddShowCommand(CLI::App& app, Command& chosen);
void AddTraceCommand(CLI::App& app, Command& chosen);
void AddSimulateCommand(CLI::App& app, Command& chosen);

}  // namespace strait
