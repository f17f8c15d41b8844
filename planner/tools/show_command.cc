#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>

#include "codec/parse_number.h"
#include "planner/plan_table.h"
#include "planner/tools/command.h"

namespace strait {
namespace {

struct Options {
  std::string plan, at;
};

// "1e5,0.03"; nullopt unless it is a rate above 0 and a round trip of at least 0.
std::optional<ChannelState> ParseChannel(const std::string& text) {
  const size_t comma = text.find(',');
  if (comma == std::string::npos) return std::nullopt;
  const std::optional<double> rate = ParseNumber(text.substr(0, comma)), rtt = ParseNumber(text.substr(comma + 1));
  if (!rate || !rtt || *rate <= 0 || *rtt < 0) return std::nullopt;
  return ChannelState{.bytes_per_second = *rate, .rtt_seconds = *rtt};
}

std::string CheckChannel(const std::string& text) {
  return ParseChannel(text) ? ""
                            : fmt::format("wanted bytes per second and seconds such as 1e5,0.03, got \"{}\"", text);
}

Status Run(const Options& options) {
  STRAIT_ASSIGN_OR_RETURN(const std::shared_ptr<const Plan> plan, Plan::Load(options.plan));
  fmt::print("{}", PlanTable(*plan, ParseChannel(options.at)));
  return Status();
}

}  // namespace

void AddShowCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("show", "Prints a plan: what it is of, and a row for each entry");
  command->add_option("PLAN", options->plan, "Plan of strait-plan solve")->required()->type_name("PLAN.json");
  command
      ->add_option("--at", options->at,
                   "Adds latency and energy over a link of that rate (bytes per second) and round trip (seconds)")
      ->check(CheckChannel)
      ->type_name("RATE,RTT");
  command->footer("Example:\n  strait-plan show plan.json --at 1e5,0.03");
  command->callback([options, &chosen] { chosen = [options] { return Run(*options); }; });
}

}  // namespace strait
