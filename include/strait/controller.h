// The online choice of split and rate. A plan, made offline by `strait-plan solve`, lists configurations worth
// running; a controller picks one for each request from the state of the channel; a link estimator gives that state
// from the transfers that were seen. Methods: dynamic split computing (Bakhtiarnia et al., 2022) looks the best
// split up by the channel's rate; DynaSplit (May et al., 2024) takes a configuration of a Pareto set by the
// deadline; here the rate of the frames is one more axis of the set. Units: seconds, bytes, joules (of the device),
// percent. Nothing here sends, measures or waits: the caller does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "strait/result.h"

namespace strait {

// Where a request runs. Numbers are frozen: they cross the C ABI.
enum class Route : int32_t {
  kLocal = 0,    // the whole network on the device; nothing is sent
  kSplit = 1,    // head on the device, a frame of a bottleneck unit, tail on the server
  kOffload = 2,  // the input is sent, as an image file or raw; the whole network on the server
};

// "local", "split", "offload".
const char* RouteName(Route route);

// One configuration and what it takes, for a batch of `batch` samples. The times do not include the network;
// Latency and Energy below do.
struct PlanEntry {
  Route route = Route::kLocal;
  std::string split;        // kSplit: where the network is cut ("layer2"); kOffload: "jpeg" or "raw"; kLocal: empty
  double quality = 0;       // kSplit: of the encoder; kOffload "jpeg": 1 to 100; else 0
  int threads = 1;          // of the device
  double frequency_hz = 0;  // clock of the device's cores; 0: as it is
  int batch = 1;
  double device_seconds = 0;  // head and encoding, or the whole network, or compressing the image
  double server_seconds = 0;  // decoding and tail, or decompressing and the whole network; an idle server
  double bytes = 0;           // mean size of what is sent for the whole batch
  double device_joules = 0;   // while the device computes
  double accuracy = 0;        // percent
};

// A unit that entries of kSplit encode with.
struct PlanModel {
  std::string split;
  std::string file;  // model file, relative to the plan's folder unless absolute
  uint64_t id = 0;   // Model::id() of that file
};

// Immutable after loading; share one Plan between any number of controllers and threads.
class Plan {
 public:
  // Reads a plan file (docs/format.md). Errors: kIo, kCorrupt, kUnsupported, kLimitExceeded; the message names the
  // file and what in it is wrong. A plan without entries is kCorrupt.
  static Result<std::shared_ptr<const Plan>> Load(const std::string& path);
  // The same from memory.
  static Result<std::shared_ptr<const Plan>> FromBytes(std::span<const uint8_t> bytes);

  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  const std::vector<PlanEntry>& entries() const;
  const std::vector<PlanModel>& models() const;
  const std::string& backbone_hash() const;
  const std::string& device() const;  // where the figures were measured, in words
  const std::string& server() const;
  double idle_watts() const;       // of the device while it waits for an answer
  double joules_per_byte() const;  // of its radio
  double switch_seconds() const;   // what changing the split or the route costs a request

  struct Impl;
  const Impl& impl() const { return *impl_; }
  explicit Plan(std::unique_ptr<const Impl> impl);

 private:
  std::unique_ptr<const Impl> impl_;
};

// What is known of the channel and the server when a request arrives. A rate that is not a positive number, or a
// round trip that is negative or not a number, means that there is no channel: only kLocal is considered, where the
// plan has it.
struct ChannelState {
  double bytes_per_second = 0;
  double rtt_seconds = 0;
  // Share of the server that others keep busy, [0, 1): its times are divided by 1 - load. Held to 0.99; what is not
  // a number counts as 0.
  double server_load = 0;
  // What a joule is worth: the controller makes latency + seconds_per_joule * energy small. 0: only latency counts
  // (mains); raise it as the battery empties; 1e6 and more: energy alone, as in DynaSplit.
  double seconds_per_joule = 0;
  // Pessimistic values that deadlines are held against; 0: the ones above.
  double low_bytes_per_second = 0;
  double high_rtt_seconds = 0;
};

struct Request {
  double deadline_seconds = std::numeric_limits<double>::infinity();
  double min_accuracy = 0;  // percent
  // Samples. Entries of the smallest batch that holds them are considered, or else those of the largest batch,
  // repeated.
  int batch = 1;
};

struct Choice {
  size_t index = 0;                  // into Plan::entries()
  const PlanEntry* entry = nullptr;  // never null; lives as long as the plan
  double latency_seconds = 0;        // expected, a switch included; infinite without a channel that it needs
  double energy_joules = 0;
  // By the pessimistic values, a switch included; never without a channel that the entry needs.
  bool meets_deadline = true;
  bool meets_accuracy = true;
  bool switched = false;  // another split or route than the choice before
  // When no answer has come so many seconds after the request began, it pays to run `fallback` and take whichever
  // ends first: the fastest local entry, of those accurate enough where there are any. That is when waiting beyond
  // the pessimistic latency has cost half of the energy that the fallback costs: at that latency if a joule costs
  // nothing. Infinite and null where there is no such entry.
  double give_up_seconds = std::numeric_limits<double>::infinity();
  const PlanEntry* fallback = nullptr;
};

// Expected seconds and joules of an entry for `batch` samples over a channel: device + rtt + bytes / rate + server
// / (1 - load), the network's terms only where it is used; joules of computing, of the bytes and of waiting.
double Latency(const Plan& plan, const PlanEntry& entry, const ChannelState& channel, int batch = 1);
double Energy(const Plan& plan, const PlanEntry& entry, const ChannelState& channel, int batch = 1);

struct ControllerOptions {
  // A switch of split or route must earn its cost (Plan::switch_seconds) back within so many requests, if the
  // channel stays as it is. 0: never holds on to a choice.
  double horizon_requests = 16;
};

// One per thread; the Plan behind it is shared and not null. Choose takes about a microsecond for ten thousand
// entries and allocates nothing.
class Controller {
 public:
  explicit Controller(std::shared_ptr<const Plan> plan, const ControllerOptions& options = {});
  ~Controller();
  Controller(Controller&&) noexcept;
  Controller& operator=(Controller&&) noexcept;

  // Of the entries that meet accuracy and deadline, the one with the smallest latency + seconds_per_joule * energy;
  // of equal ones the first of the plan. Deadlines are held against the pessimistic values; when none meets it by
  // those, against the expected ones; when none does by those either, the fastest of the entries that are accurate
  // enough. When none is accurate enough, the same among the most accurate. What a switch costs counts as below,
  // not against the deadline: it is paid once, and a deadline missed for it is better than a poor split for good.
  // Without a channel the local entries and their batches are all there is; where the plan has none, the entry with
  // the fewest bytes of those accurate enough. The split and route of the choice before are kept while a switch
  // would not pay: others count as dearer by switch_seconds / horizon_requests. Values that make no sense in
  // `request` (NaN, a batch below 1) count as their defaults. Always returns an entry of the plan.
  Choice Choose(const ChannelState& channel, const Request& request = {});

  // Forgets the choice before.
  void Reset();

  const Plan& plan() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct LinkEstimatorOptions {
  // What is believed before the first transfer. Here and below, what is not positive counts as the default.
  double bytes_per_second = 1e6;
  double rtt_seconds = 0.05;
  // How fast a link is expected to change: after so many seconds an old estimate counts half against a new
  // transfer.
  double half_life_seconds = 0.5;
};

// Rate and round trip of a link from the transfers that were seen over it. A transfer takes rtt + bytes / rate;
// both are estimated together, so small messages teach mostly the one and large messages mostly the other. A single
// outlier moves the estimate little; a second one on the same side is taken for a change of the link. Messages of
// one size alone leave rate and round trip mixed: where the transport knows its round trip (tcpi_rtt of TCP_INFO),
// Observe that too, as a message of 1 byte. One per thread.
class LinkEstimator {
 public:
  explicit LinkEstimator(const LinkEstimatorOptions& options = {});

  // A message of `bytes` was sent and answered within `seconds`, the server's own time taken off; `now_seconds` is
  // any clock that does not run backwards. What is not positive and finite is ignored; the clock may be negative.
  void Observe(double now_seconds, double bytes, double seconds);
  // A message was not answered within `seconds`.
  void ObserveTimeout(double now_seconds, double bytes, double seconds);

  // The estimate, with pessimistic values about one standard deviation off, which widen with the time since the
  // last transfer: a message of the size that was usual lately takes longer than they say about one time in six.
  // server_load and seconds_per_joule are the caller's to fill in.
  ChannelState State(double now_seconds) const;

  // Whether no transfer was seen yet, or none for half a half-life, so that a small message should be sent to see
  // the link (a controller that runs everything locally learns nothing of the link's recovery otherwise).
  bool NeedsProbe(double now_seconds) const;

 private:
  struct Prediction;
  // Symmetric: variance of the log of seconds per byte, of both together, of the log of the round trip.
  struct Covariance {
    double rate = 0, both = 0, rtt = 0;
  };

  // Both estimates are logs, so that they stay positive and a change by half weighs as much as one by two.
  struct Logs {
    double seconds_per_byte = 0, rtt = 0;
  };

  bool Advance(double now_seconds, double bytes, double seconds);
  Covariance CovarianceAt(double now_seconds) const;
  Prediction Predict(const Logs& logs, double log_bytes) const;
  bool IsChange(const Prediction& prediction, double innovation, double deviation);
  void Update(double log_bytes, double innovation, double trust);

  double noise_per_second_;  // that the variances grow by
  double probe_seconds_;
  Logs logs_;
  Covariance covariance_;  // at updated_
  double updated_ = 0;     // by the caller's clock
  double usual_log_bytes_ = 0;
  bool seen_ = false;
  // The last transfer that lay far off and was not explained since.
  struct Surprise {
    double innovation = 0;  // 0: none
    double rate_share = 0;  // of its expected time, the part that bytes took
  };
  Surprise surprise_;
};

}  // namespace strait
