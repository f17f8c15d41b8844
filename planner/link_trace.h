// How a link's rate, round trip and loss change over time: read from CSV or drawn from a Markov chain.
// Units: seconds, bytes per second.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "strait/result.h"

namespace strait {

struct LinkPoint {
  double seconds = 0;           // from when on this holds, until the next point
  double bytes_per_second = 0;  // 0: nothing gets through
  double rtt_seconds = 0;
  double loss = 0;  // share of packets, 0 to 0.9
};

class LinkTrace {
 public:
  // Points in ascending order from 0 on, at least two, some with a rate. The last lasts as long as the one before;
  // then the trace begins again. Errors: kInvalidArgument naming the point.
  static Result<LinkTrace> Make(std::vector<LinkPoint> points);

  // CSV with the header seconds,bytes_per_second,rtt_seconds,loss. Errors: kIo, and kCorrupt naming file and line
  // (text, missing fields, times that go backwards, a gap of more than ten usual steps, values out of range).
  static Result<LinkTrace> Load(const std::string& path);

  const std::vector<LinkPoint>& points() const { return points_; }
  double duration() const { return duration_; }

  // The point that holds at a time, which may be past the end. O(log points).
  const LinkPoint& At(double seconds) const;

  // From the first byte leaving at `start` until the answer is back: bytes at the rates of the trace, packets that
  // are lost once more after a round trip, and one round trip. `seed` draws the losses.
  double TransferSeconds(double start, double bytes, uint64_t seed) const;

 private:
  double SendSeconds(double start, double bytes) const;
  size_t IndexAt(double phase) const;

  std::vector<LinkPoint> points_;
  std::vector<double> sent_;  // bytes that pass before each point, and at the end of the trace
  double duration_ = 0;
};

// The file that Load reads, with the same doubles.
std::string ToCsv(const LinkTrace& trace);

// The kinds DrawTrace knows: "wifi", "4g", "3g", "lpwan", "moving".
const std::vector<std::string>& TraceKinds();

// A Markov-modulated trace: the link stays in a state (good, fair, poor, ...) for an exponentially distributed
// time, and rate and round trip swing around the state's. Rates, times and losses are ours, of the order of what
// such links do. Precondition: a kind of TraceKinds(), 2 steps or more.
LinkTrace DrawTrace(const std::string& kind, double seconds, double step_seconds, uint64_t seed);

}  // namespace strait
