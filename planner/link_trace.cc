#include "planner/link_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <sstream>

#include "codec/file_io.h"
#include "codec/parse_number.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr const char kHeader[] = "seconds,bytes_per_second,rtt_seconds,loss";
constexpr double kPacketBytes = 1448;  // payload of a TCP segment on Ethernet
constexpr double kMaxGapSteps = 10;
constexpr double kMaxLoss = 0.9;  // a message goes again and again until all of it is there
constexpr int64_t kMaxFileBytes = int64_t{1} << 30;

Result<LinkPoint> ParseLine(const std::string& line, const std::string& where) {
  if (line.empty()) return Error(StatusCode::kCorrupt, where, ": is empty; remove it");
  double fields[4];
  size_t begin = 0;
  for (int i = 0; i < 4; ++i) {
    const size_t end = i < 3 ? line.find(',', begin) : line.size();
    if (end == std::string::npos)
      return Error(StatusCode::kCorrupt, where, ": has ", i + 1, " fields, wanted ", kHeader);
    const std::string field = line.substr(begin, end - begin);
    const std::optional<double> value = ParseNumber(field);
    if (!value) {
      return Error(StatusCode::kCorrupt, where, ": \"", field.substr(0, 32), "\" is no number, wanted ", kHeader);
    }
    fields[i] = *value;
    begin = end + 1;
  }
  const LinkPoint point = {fields[0], fields[1], fields[2], fields[3]};
  const auto in = [](double value, double low, double high) { return value >= low && value <= high; };
  if (point.bytes_per_second != 0 && !in(point.bytes_per_second, 1e-3, 1e12)) {
    return Error(StatusCode::kCorrupt, where, ": rate ", point.bytes_per_second,
                 " is neither 0 nor in 0.001..1e12");
  }
  if (!in(point.rtt_seconds, 0, 1e4)) {
    return Error(StatusCode::kCorrupt, where, ": round trip ", point.rtt_seconds, " is not in 0..1e4");
  }
  if (!in(point.loss, 0, kMaxLoss)) {
    return Error(StatusCode::kCorrupt, where, ": loss ", point.loss, " is not in 0..", kMaxLoss);
  }
  if (std::abs(point.seconds) > 1e9) return Error(StatusCode::kCorrupt, where, ": time is beyond 1e9 s");
  return point;
}

// Steps differ where an event log was written; a hole in a recording is far longer than the usual step.
Status CheckGaps(const std::vector<LinkPoint>& points, const std::string& path) {
  std::vector<double> steps;
  for (size_t i = 1; i < points.size(); ++i) steps.push_back(points[i].seconds - points[i - 1].seconds);
  std::vector<double> sorted = steps;
  std::ranges::nth_element(sorted, sorted.begin() + static_cast<ptrdiff_t>((sorted.size() - 1) / 2));
  const double usual = sorted[(sorted.size() - 1) / 2];
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] > kMaxGapSteps * usual) {
      return Error(StatusCode::kCorrupt, path, ":", i + 3, ": a gap of ", steps[i], " s where steps are ", usual,
                   " s; fill it or cut the trace there");
    }
  }
  return Status();
}

struct LinkState {
  double bytes_per_second, rtt_seconds, loss, dwell_seconds;
};

struct LinkKind {
  const char* name;
  std::vector<LinkState> states;
};

const std::vector<LinkKind>& Kinds() {
  static const std::vector<LinkKind> kinds = {
      {"wifi", {{6e6, 0.004, 0, 20}, {1.5e6, 0.012, 0.002, 8}, {1.5e5, 0.050, 0.02, 4}}},
      {"4g", {{2.5e6, 0.040, 0, 15}, {6e5, 0.060, 0.002, 12}, {5e4, 0.120, 0.01, 6}}},
      {"3g", {{1.5e5, 0.090, 0.001, 15}, {4e4, 0.150, 0.005, 12}, {8e3, 0.300, 0.02, 6}}},
      {"lpwan", {{4e4, 0.060, 0.001, 15}, {1e4, 0.080, 0.005, 15}, {2.5e3, 0.120, 0.01, 8}}},
      {"moving", {{5e6, 0.005, 0, 15}, {8e5, 0.045, 0.002, 15}, {4e4, 0.120, 0.01, 10}, {0, 0.3, 0.02, 3}}},
  };
  return kinds;
}

}  // namespace

Result<LinkTrace> LinkTrace::Make(std::vector<LinkPoint> points) {
  if (points.size() < 2)
    return Error(StatusCode::kInvalidArgument, "a trace needs at least 2 points, has ", points.size());
  LinkTrace trace;
  const double origin = points.front().seconds;
  double bytes = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    points[i].seconds -= origin;
    if (i > 0) {
      const double step = points[i].seconds - points[i - 1].seconds;
      if (!(step > 0)) return Error(StatusCode::kInvalidArgument, "point ", i, ": time does not go forward");
      bytes += step * points[i - 1].bytes_per_second;
    }
    trace.sent_.push_back(bytes);
  }
  const double last_step = points.back().seconds - points[points.size() - 2].seconds;
  trace.duration_ = points.back().seconds + last_step;
  trace.sent_.push_back(bytes + last_step * points.back().bytes_per_second);
  if (!(trace.sent_.back() > 0))
    return Error(StatusCode::kInvalidArgument, "a trace needs a point with a rate above 0");
  trace.points_ = std::move(points);
  return trace;
}

Result<LinkTrace> LinkTrace::Load(const std::string& path) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path, kMaxFileBytes));
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  std::string line;
  std::vector<LinkPoint> points;
  for (int number = 1; std::getline(text, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::string where = path + ":" + std::to_string(number);
    if (number == 1) {
      if (line != kHeader) return Error(StatusCode::kCorrupt, where, ": wanted the header ", kHeader);
      continue;
    }
    STRAIT_ASSIGN_OR_RETURN(const LinkPoint point, ParseLine(line, where));
    if (!points.empty() && !(point.seconds > points.back().seconds)) {
      return Error(StatusCode::kCorrupt, where, ": time goes from ", points.back().seconds, " s to ", point.seconds,
                   " s, wanted ascending times");
    }
    points.push_back(point);
  }
  if (points.size() >= 2) STRAIT_RETURN_IF_ERROR(CheckGaps(points, path));
  Result<LinkTrace> trace = Make(std::move(points));
  if (!trace.ok()) return Error(StatusCode::kCorrupt, path, ": ", trace.status().message());
  return trace;
}

size_t LinkTrace::IndexAt(double phase) const {
  const auto after = std::ranges::upper_bound(points_, phase, {}, &LinkPoint::seconds);
  return after == points_.begin() ? 0 : static_cast<size_t>(after - points_.begin()) - 1;
}

const LinkPoint& LinkTrace::At(double seconds) const { return points_[IndexAt(std::fmod(seconds, duration_))]; }

double LinkTrace::SendSeconds(double start, double bytes) const {
  const double phase = std::fmod(start, duration_);
  const size_t first = IndexAt(phase);
  // Bytes since the trace began that will have passed when these have; whole rounds of the trace aside.
  const double before = sent_[first] + (phase - points_[first].seconds) * points_[first].bytes_per_second;
  const double target = before + bytes;
  const double rounds = std::floor(target / sent_.back());
  const double rest = target - rounds * sent_.back();
  const auto at = std::ranges::lower_bound(sent_, rest);  // the first point by which they have
  const size_t index = at == sent_.begin() ? 0 : static_cast<size_t>(at - sent_.begin()) - 1;
  const double rate = points_[index].bytes_per_second;
  const double end = points_[index].seconds + (rate > 0 ? (rest - sent_[index]) / rate : 0);
  return std::max(rounds * duration_ + end - phase, 0.0);
}

double LinkTrace::TransferSeconds(double start, double bytes, uint64_t seed) const {
  std::optional<std::mt19937_64> random;  // made where packets get lost: it is larger than all else here
  double elapsed = 0;
  double left = bytes;
  while (left > 0) {
    elapsed += SendSeconds(start + elapsed, left);
    const LinkPoint& point = At(start + elapsed);
    if (point.loss == 0) break;
    if (!random) random.emplace(seed);
    const auto packets = static_cast<int64_t>(std::ceil(left / kPacketBytes));
    const int64_t lost = std::binomial_distribution<int64_t>(packets, point.loss)(*random);
    left = std::min(left, static_cast<double>(lost) * kPacketBytes);
    if (lost > 0) elapsed += point.rtt_seconds;  // until the sender knows
  }
  return elapsed + At(start + elapsed).rtt_seconds;
}

std::string ToCsv(const LinkTrace& trace) {
  std::string text = std::string(kHeader) + "\n";
  for (const LinkPoint& point : trace.points()) {
    text += fmt::format("{},{},{},{}\n", point.seconds, point.bytes_per_second, point.rtt_seconds, point.loss);
  }
  return text;
}

const std::vector<std::string>& TraceKinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const LinkKind& kind : Kinds()) list.emplace_back(kind.name);
    return list;
  }();
  return names;
}

LinkTrace DrawTrace(const std::string& kind, double seconds, double step_seconds, uint64_t seed) {
  const std::vector<LinkState>& states = std::ranges::find(Kinds(), kind, &LinkKind::name)->states;
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<LinkPoint> points;
  size_t state = 0;
  double leaves = 0, swing = 0;
  constexpr double kMemory = 0.9, kSwing = 0.3;  // of the swing's logarithm: from step to step, and how wide
  for (size_t i = 0; static_cast<double>(i) * step_seconds < seconds; ++i) {
    const double now = static_cast<double>(i) * step_seconds;
    if (now >= leaves) {
      if (i > 0) state = (state + 1 + random() % (states.size() - 1)) % states.size();
      leaves = now + std::exponential_distribution<double>(1 / states[state].dwell_seconds)(random);
    }
    swing = kMemory * swing + std::sqrt(1 - kMemory * kMemory) * kSwing * normal(random);
    points.push_back({now, states[state].bytes_per_second * std::exp(swing),
                      states[state].rtt_seconds * std::exp(0.5 * std::abs(swing)), states[state].loss});
  }
  return LinkTrace::Make(std::move(points)).value();
}

}  // namespace strait
