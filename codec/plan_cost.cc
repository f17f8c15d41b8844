#include "codec/plan_cost.h"

#include <algorithm>
#include <cmath>

namespace strait {
namespace {

constexpr double kMaxLoad = 0.99;
constexpr double kMaxSecondsPerJoule = 1e12;

// Comparisons are written so that NaN fails them.
LinkTerms MakeLink(double bytes_per_second, double rtt_seconds, double server_load) {
  LinkTerms link;
  link.rtt_seconds = std::min(rtt_seconds, kHuge);
  link.seconds_per_byte = std::min(1 / bytes_per_second, kHuge);
  link.server_factor = ServerFactor(server_load);
  return link;
}

bool HasChannel(const ChannelState& channel) {
  return channel.bytes_per_second > 0 && channel.rtt_seconds >= 0 && std::isfinite(channel.rtt_seconds);
}

double RunsOf(const PlanEntry& entry, int batch) {
  const int wanted = std::max(batch, 1), held = std::max(entry.batch, 1);
  return wanted / held + (wanted % held != 0 ? 1 : 0);
}

struct EntryCost {
  double latency, energy;
};

EntryCost CostOf(const Plan& plan, const PlanEntry& entry, const ChannelState& channel, int batch) {
  const double remote = RemoteFactor(entry);
  const std::optional<LinkTerms> link = ExpectedLink(channel);
  const double infinity = std::numeric_limits<double>::infinity();
  if (remote != 0 && !link) return {infinity, infinity};
  CostTerms terms{link.value_or(LinkTerms()), plan.idle_watts(), plan.joules_per_byte(), 0};
  terms.link.runs = RunsOf(entry, batch);
  const double wait = WaitSeconds(terms.link, remote, entry.bytes, entry.server_seconds);
  return {LatencySeconds(terms.link, entry.device_seconds, wait),
          EnergyJoules(terms, entry.device_joules, entry.bytes, wait)};
}

}  // namespace

double ServerFactor(double load) { return 1 / (1 - (load > 0 ? std::min(load, kMaxLoad) : 0)); }

std::optional<LinkTerms> ExpectedLink(const ChannelState& channel) {
  if (!HasChannel(channel)) return std::nullopt;
  return MakeLink(channel.bytes_per_second, channel.rtt_seconds, channel.server_load);
}

std::optional<LinkTerms> PessimisticLink(const ChannelState& channel) {
  if (!HasChannel(channel)) return std::nullopt;
  const double low = channel.low_bytes_per_second, high = channel.high_rtt_seconds;
  return MakeLink(low > 0 ? low : channel.bytes_per_second, high > 0 ? high : channel.rtt_seconds,
                  channel.server_load);
}

double SecondsPerJoule(const ChannelState& channel) {
  return channel.seconds_per_joule > 0 ? std::min(channel.seconds_per_joule, kMaxSecondsPerJoule) : 0;
}

double Latency(const Plan& plan, const PlanEntry& entry, const ChannelState& channel, int batch) {
  return CostOf(plan, entry, channel, batch).latency;
}

double Energy(const Plan& plan, const PlanEntry& entry, const ChannelState& channel, int batch) {
  return CostOf(plan, entry, channel, batch).energy;
}

}  // namespace strait
