#include "planner/space.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "entropy/error.h"

namespace strait {
namespace {

// Qualities from level 0 to the last, `step` apart.
std::vector<double> Qualities(const std::vector<RatePoint>& points, double step) {
  std::vector<double> qualities;
  for (int i = 0; i * step <= points.back().quality; ++i) qualities.push_back(i * step);
  return qualities;
}

struct Lookup {
  const TimingIndex& timings;
  const char* side;  // "device", "server": for messages
  int threads;
  double clock_hz;
  int batch;

  Status Add(Task task, const std::string& place, double quality, double& seconds, double* joules = nullptr) const {
    const Timing* timing = timings.Find(task, place, quality, threads, clock_hz, batch);
    if (timing == nullptr) {
      return Error(StatusCode::kInvalidArgument, side, " profile: has no time of ", TaskName(task),
                   place.empty() ? "" : " at " + place, ", quality ", quality, ", threads ", threads, ", batch ",
                   batch, "; measure it with `strait-plan profile --role ", side,
                   "`, naming the same runs, --batch and --jpeg on both machines");
    }
    seconds += timing->seconds;
    if (joules != nullptr) *joules += timing->joules;
    return Status();
  }
};

// The number of threads with which the server runs the whole network fastest, for a batch.
int FastestThreads(const Profile& server, double clock_hz, int batch) {
  const Timing* best = nullptr;
  for (const Timing& timing : server.timings) {
    if (timing.task != Task::kNetwork || timing.batch != batch || timing.clock_hz != clock_hz) continue;
    if (best == nullptr || timing.seconds < best->seconds) best = &timing;
  }
  return best == nullptr ? 1 : best->threads;
}

template <typename Member>
auto ValuesOf(const Profile& profile, Member member) {
  std::set<std::remove_cvref_t<decltype(profile.timings.front().*member)>> values;
  for (const Timing& timing : profile.timings) {
    if (timing.task == Task::kNetwork) values.insert(timing.*member);
  }
  return values;
}

Status CheckHashes(const Profile& device, const Profile& server, const Rates& rates) {
  if (device.backbone_hash != server.backbone_hash) {
    return Error(StatusCode::kModelMismatch, "the device profile is of backbone ", device.backbone_hash,
                 ", the server profile of ", server.backbone_hash, "; measure both with one network");
  }
  for (const SplitRates& split : rates.splits) {
    if (split.backbone_hash != device.backbone_hash) {
      return Error(StatusCode::kModelMismatch, split.model_file, ": was trained with backbone ",
                   split.backbone_hash, ", the profiles are of ", device.backbone_hash);
    }
    for (const auto& [side, profile] : {std::pair("device", &device), std::pair("server", &server)}) {
      const auto unit = std::ranges::find(profile->units, split.split, &ProfiledUnit::split);
      if (unit != profile->units.end() && unit->model_id != split.model_id) {
        return Error(StatusCode::kModelMismatch, split.model_file, ": is not the unit at ", split.split,
                     " that the ", side, " profile is of; measure again, or name the run that was measured");
      }
    }
  }
  return Status();
}

}  // namespace

Result<Space> Space::Make(const Profile& device, const Profile& server, const Rates& rates,
                          const SpaceOptions& options) {
  STRAIT_RETURN_IF_ERROR(CheckHashes(device, server, rates));
  // What a frame can say, and what leads to the last level.
  const double steps = 1 / options.quality_step;
  if (!(steps == 1 || steps == 2 || steps == 4 || steps == 8 || steps == 16)) {
    return Error(StatusCode::kInvalidArgument, "--quality-step: ", options.quality_step,
                 " is not 1, 0.5, 0.25, 0.125 or 0.0625");
  }
  Space space;
  space.power_ = device.power;
  space.cores_ = device.cores;
  space.clock_measured_ = device.clock_measured || device.clocks_hz.empty();
  space.clocks_hz_ = device.clocks_hz.empty() ? std::vector<double>{0} : device.clocks_hz;
  const std::set<int> server_batches = ValuesOf(server, &Timing::batch);
  for (const int batch : ValuesOf(device, &Timing::batch)) {
    if (server_batches.contains(batch)) space.batches_.push_back(batch);
  }
  if (space.batches_.empty()) {
    return Error(StatusCode::kInvalidArgument,
                 "the profiles have no batch size in common; measure both with one --batch");
  }
  for (const int threads : ValuesOf(device, &Timing::threads)) space.threads_.push_back(threads);
  space.places_.push_back({Route::kLocal, "", {0}, {{0, 0, rates.unsplit_accuracy}}});
  space.places_.push_back({Route::kOffload, "raw", {0}, {{0, rates.raw_bytes, rates.unsplit_accuracy}}});
  // Of the qualities in the table those that were timed; a plan without offloading as JPEG is one too.
  Place jpeg = {Route::kOffload, "jpeg", {}, {}};
  for (const RatePoint& point : rates.jpeg) {
    const auto timed = [&](const Timing& t) { return t.task == Task::kCompress && t.quality == point.quality; };
    if (std::ranges::none_of(device.timings, timed)) continue;
    jpeg.qualities.push_back(point.quality);
    jpeg.points.push_back(point);
  }
  if (!jpeg.points.empty()) space.places_.push_back(std::move(jpeg));
  for (const SplitRates& split : rates.splits) {
    space.places_.push_back(
        {Route::kSplit, split.split, Qualities(split.levels, options.quality_step), split.levels});
  }
  STRAIT_RETURN_IF_ERROR(space.AddCosts(device, server));
  return space;
}

Status Space::AddCosts(const Profile& device, const Profile& server) {
  for (const Place& place : places_) max_points_ = std::max(max_points_, place.points.size());
  const size_t num_clocks = clock_measured_ ? clocks_hz_.size() : 1;
  const double server_hz = server.clock_measured ? server.clocks_hz.back() : 0;
  const TimingIndex here_timings(device), there_timings(server);
  for (const int batch : batches_) {
    const Lookup there = {there_timings, "server", FastestThreads(server, server_hz, batch), server_hz, batch};
    for (const int threads : threads_) {
      for (size_t clock = 0; clock < num_clocks; ++clock) {
        const Lookup here = {here_timings, "device", threads, clock_measured_ ? clocks_hz_[clock] : 0, batch};
        for (const Place& place : places_) {
          const size_t base = costs_.size();
          costs_.resize(base + max_points_);
          for (size_t i = 0; i < place.points.size(); ++i) {
            const double quality = place.points[i].quality;
            Cost& cost = costs_[base + i];
            double& seconds = cost.device_seconds;
            double* const joules = &cost.device_joules;
            if (place.route != Route::kOffload)
              STRAIT_RETURN_IF_ERROR(here.Add(Task::kPrepare, "", 0, seconds, joules));
            if (place.route == Route::kLocal) {
              STRAIT_RETURN_IF_ERROR(here.Add(Task::kNetwork, "", 0, seconds, joules));
              continue;
            }
            if (place.route == Route::kSplit) {
              STRAIT_RETURN_IF_ERROR(here.Add(Task::kHead, place.name, 0, seconds, joules));
              STRAIT_RETURN_IF_ERROR(here.Add(Task::kEncode, place.name, quality, seconds, joules));
              STRAIT_RETURN_IF_ERROR(there.Add(Task::kDecode, place.name, quality, cost.server_seconds));
              STRAIT_RETURN_IF_ERROR(there.Add(Task::kTail, place.name, 0, cost.server_seconds));
              continue;
            }
            if (place.name == "jpeg") {
              STRAIT_RETURN_IF_ERROR(here.Add(Task::kCompress, place.name, quality, seconds, joules));
              STRAIT_RETURN_IF_ERROR(there.Add(Task::kDecompress, place.name, quality, cost.server_seconds));
            }
            STRAIT_RETURN_IF_ERROR(there.Add(Task::kPrepare, "", 0, cost.server_seconds));
            STRAIT_RETURN_IF_ERROR(there.Add(Task::kNetwork, "", 0, cost.server_seconds));
          }
        }
      }
    }
  }
  return Status();
}

int64_t Space::size() const {
  int64_t qualities = 0;
  for (const Place& place : places_) qualities += static_cast<int64_t>(place.qualities.size());
  return qualities * num_threads() * num_clocks();
}

const Space::Cost& Space::CostAt(int batch, const Genes& genes, size_t point) const {
  const size_t clocks = clock_measured_ ? clocks_hz_.size() : 1;
  const size_t clock = clock_measured_ ? static_cast<size_t>(genes[3]) : 0;
  const size_t row =
      (static_cast<size_t>(batch) * threads_.size() + static_cast<size_t>(genes[2])) * clocks + clock;
  return costs_[(row * places_.size() + static_cast<size_t>(genes[0])) * max_points_ + point];
}

PlanEntry Space::Evaluate(int batch, const Genes& genes) const {
  const Place& place = places_[static_cast<size_t>(genes[0])];
  PlanEntry entry;
  entry.route = place.route;
  entry.split = place.name;
  entry.quality = place.qualities[static_cast<size_t>(genes[1])];
  entry.threads = threads_[static_cast<size_t>(genes[2])];
  entry.frequency_hz = clocks_hz_[static_cast<size_t>(genes[3])];
  entry.batch = batches_[static_cast<size_t>(batch)];

  const auto above = std::ranges::lower_bound(place.points, entry.quality, {}, &RatePoint::quality);
  const size_t high = std::min(static_cast<size_t>(above - place.points.begin()), place.points.size() - 1);
  const size_t low = high > 0 && place.points[high].quality > entry.quality ? high - 1 : high;
  const RatePoint &a = place.points[low], &b = place.points[high];
  const double share = low == high ? 0 : (entry.quality - a.quality) / (b.quality - a.quality);
  const Cost &cost_a = CostAt(batch, genes, low), &cost_b = CostAt(batch, genes, high);
  entry.accuracy = std::lerp(a.accuracy, b.accuracy, share);
  entry.bytes = entry.batch * (a.bytes > 0 ? a.bytes * std::pow(b.bytes / a.bytes, share) : 0);
  entry.device_seconds = std::lerp(cost_a.device_seconds, cost_b.device_seconds, share);
  entry.server_seconds = std::lerp(cost_a.server_seconds, cost_b.server_seconds, share);
  entry.device_joules = std::lerp(cost_a.device_joules, cost_b.device_joules, share);
  // Times and joules that were measured at this clock stay as they are; else both are modelled.
  const double speed = entry.frequency_hz > 0 ? entry.frequency_hz / clocks_hz_.back() : 1;
  if (!clock_measured_) entry.device_seconds /= speed;
  if (!clock_measured_ || entry.device_joules == 0) {
    const auto watts = [&](double share_of_clock) {
      const double busy = std::min(static_cast<double>(entry.threads) / cores_, 1.0) * std::pow(share_of_clock, 3);
      return power_.idle_watts + (power_.busy_watts - power_.idle_watts) * busy;
    };
    const bool metered = entry.device_joules > 0;  // at the highest clock
    entry.device_joules =
        metered ? entry.device_joules * watts(speed) / watts(1) / speed : entry.device_seconds * watts(speed);
  }
  return entry;
}

}  // namespace strait
