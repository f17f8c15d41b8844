// What an entry costs over a link: one expression for the public functions, for the search and for its bounds. It
// never falls when a component rises, also after rounding, so that its value at component-wise minima is a bound.
// The files that use it are compiled without fused multiply-adds, so that all of them round alike.
#pragma once

#include <optional>

#include "strait/controller.h"

namespace strait {

// Largest of any factor or limit, beyond every sensible one: with it no sum or product overflows (plan.cc bounds
// the entries), and 0 times it is 0.
inline constexpr double kHuge = 1e30;

// Latency of a request over the link: runs * (device + rtt + bytes * seconds_per_byte + server * server_factor).
struct LinkTerms {
  double runs = 1;  // of an entry for one request
  double rtt_seconds = 0;
  double seconds_per_byte = 0;
  double server_factor = 1;
};

// latency + seconds_per_joule * energy.
struct CostTerms {
  LinkTerms link;
  double idle_watts = 0;
  double joules_per_byte = 0;
  double seconds_per_joule = 0;
};

// 0 of an entry that sends nothing, else 1.
inline double RemoteFactor(const PlanEntry& entry) { return entry.route == Route::kLocal ? 0 : 1; }

// `remote` is a RemoteFactor.
inline double WaitSeconds(const LinkTerms& link, double remote, double bytes, double server_seconds) {
  return remote * link.rtt_seconds + bytes * link.seconds_per_byte + server_seconds * link.server_factor;
}

inline double LatencySeconds(const LinkTerms& link, double device_seconds, double wait) {
  return link.runs * (device_seconds + wait);
}

inline double EnergyJoules(const CostTerms& terms, double device_joules, double bytes, double wait) {
  return terms.link.runs * (device_joules + bytes * terms.joules_per_byte + terms.idle_watts * wait);
}

inline double CostSeconds(const CostTerms& terms, double latency, double energy) {
  return latency + terms.seconds_per_joule * energy;
}

// What the server's times are multiplied by when others keep it busy: 1 / (1 - load), the load held to [0, 0.99].
double ServerFactor(double load);

// The link that is expected, and the one that deadlines are held against; empty without a channel.
std::optional<LinkTerms> ExpectedLink(const ChannelState& channel);
std::optional<LinkTerms> PessimisticLink(const ChannelState& channel);

// What a joule is worth, held to [0, 1e12].
double SecondsPerJoule(const ChannelState& channel);

}  // namespace strait
