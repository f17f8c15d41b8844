#include "planner/plan_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace strait {
namespace {

// A plan's text as one line that a terminal can show: control characters become '?', as in errors.
std::string Printable(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 32 || c == 127; }, '?');
  return text;
}

std::string Header(const Plan& plan) {
  std::string text = fmt::format("backbone  {}\ndevice    {}\nserver    {}\n", Printable(plan.backbone_hash()),
                                 Printable(plan.device()), Printable(plan.server()));
  for (const PlanModel& model : plan.models()) {
    text += fmt::format("unit      {}: {}, id {:016x}\n", Printable(model.split), Printable(model.file), model.id);
  }
  text += fmt::format("sending   {:g} J a byte; waiting {:g} W; a change of split or route {:g} ms\n",
                      plan.joules_per_byte(), plan.idle_watts(), 1e3 * plan.switch_seconds());
  return text;
}

}  // namespace

std::string PlanTable(const Plan& plan, const std::optional<ChannelState>& channel) {
  std::string text = Header(plan);
  if (channel) {
    text += fmt::format("link      {:g} bytes a second, round trip {:g} ms\n", channel->bytes_per_second,
                        1e3 * channel->rtt_seconds);
  }
  size_t width = 5;
  for (const PlanEntry& entry : plan.entries()) width = std::max(width, entry.split.size());
  text += fmt::format("\n{:>6} {:<7} {:<{}} {:>7} {:>5} {:>7} {:>9} {:>10} {:>8} {:>10} {:>10} {:>10}", "entry",
                      "route", "split", width, "quality", "batch", "threads", "clock GHz", "bytes", "accuracy",
                      "device ms", "server ms", "device mJ");
  text += channel ? fmt::format(" {:>10} {:>10}\n", "latency ms", "energy mJ") : "\n";
  for (size_t i = 0; i < plan.entries().size(); ++i) {
    const PlanEntry& entry = plan.entries()[i];
    text += fmt::format(
        "{:>6} {:<7} {:<{}} {:>7} {:>5} {:>7} {:>9} {:>10.1f} {:>8.2f} {:>10.3f} {:>10.3f} {:>10.3f}", i,
        RouteName(entry.route), entry.split.empty() ? "-" : Printable(entry.split), width,
        entry.route == Route::kLocal || entry.split == "raw" ? "-" : fmt::format("{:g}", entry.quality),
        entry.batch, entry.threads, entry.frequency_hz > 0 ? fmt::format("{:.2f}", 1e-9 * entry.frequency_hz) : "-",
        entry.bytes, entry.accuracy, 1e3 * entry.device_seconds, 1e3 * entry.server_seconds,
        1e3 * entry.device_joules);
    text += channel ? fmt::format(" {:>10.3f} {:>10.3f}\n", 1e3 * Latency(plan, entry, *channel, entry.batch),
                                  1e3 * Energy(plan, entry, *channel, entry.batch))
                    : "\n";
  }
  return text;
}

}  // namespace strait
