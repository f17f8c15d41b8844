#include "planner/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "codec/file_io.h"
#include "codec/json_reader.h"
#include "codec/plan_spec.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr const char kFormat[] = "strait-profile";
constexpr int64_t kVersion = 1;
constexpr int64_t kMaxFileBytes = int64_t{1} << 26;
constexpr size_t kMaxTimings = 1 << 18;
constexpr size_t kMaxValues = kMaxTimings * 16;  // a timing has 10 keys
constexpr double kMaxQuality = 255, kMaxTimeScale = 1e9;

constexpr std::array kTaskNames = {"prepare", "head",    "encode",   "decode",
                                   "tail",    "network", "compress", "decompress"};

constexpr std::array kRoleNames = {"both", "device", "server"};

std::optional<Task> TaskOf(const std::string& name) {
  for (size_t i = 0; i < kTaskNames.size(); ++i) {
    if (name == kTaskNames[i]) return static_cast<Task>(i);
  }
  return std::nullopt;
}

// A number of 0 or else above 0, up to `max`.
Result<double> NumberTo(JsonObject& object, const char* key, double max, bool positive = false) {
  STRAIT_ASSIGN_OR_RETURN(const double value, object.Number(key));
  if (value < 0 || value > max || (positive && value == 0)) {
    return Error(StatusCode::kCorrupt, object.where(), ": \"", key, "\" is ", value, ", wanted a number ",
                 positive ? "above 0" : "of at least 0", " and at most ", max);
  }
  return value;
}

Result<std::string> ReadText(JsonObject& object, const char* key) {
  STRAIT_ASSIGN_OR_RETURN(std::string text, object.String(key));
  if (text.size() > kMaxPlanTextBytes) {
    return Error(StatusCode::kCorrupt, object.where(), ": \"", key, "\" has ", text.size(), " bytes, at most ",
                 kMaxPlanTextBytes);
  }
  return text;
}

Status CheckFormat(JsonObject& object) {
  STRAIT_ASSIGN_OR_RETURN(const std::string format, object.String("format"));
  if (format != kFormat) {
    return Error(StatusCode::kCorrupt, object.where(), ": \"format\" is \"", format.substr(0, 64), "\", wanted \"",
                 kFormat, "\" (what strait-plan profile writes)");
  }
  STRAIT_ASSIGN_OR_RETURN(const int64_t version, object.Int("version", 0, INT32_MAX));
  if (version != kVersion) {
    return Error(StatusCode::kUnsupported, object.where(), ": is a profile of version ", version,
                 ", this build reads ", kVersion, "; measure again with this strait-plan");
  }
  return Status();
}

Result<Timing> ReadTiming(const nlohmann::json& json, const std::string& where) {
  STRAIT_ASSIGN_OR_RETURN(JsonObject object, JsonObject::Of(json, where));
  Timing timing;
  STRAIT_ASSIGN_OR_RETURN(const std::string task, object.String("task"));
  const std::optional<Task> known = TaskOf(task);
  if (!known) return Error(StatusCode::kCorrupt, where, ": \"task\" is \"", task.substr(0, 64), "\"");
  timing.task = *known;
  STRAIT_ASSIGN_OR_RETURN(timing.place, ReadText(object, "place"));
  STRAIT_ASSIGN_OR_RETURN(timing.quality, NumberTo(object, "quality", kMaxQuality));
  STRAIT_ASSIGN_OR_RETURN(const int64_t threads, object.Int("threads", 1, kMaxPlanThreads));
  STRAIT_ASSIGN_OR_RETURN(const int64_t batch, object.Int("batch", 1, kMaxPlanBatch));
  timing.threads = static_cast<int>(threads);
  timing.batch = static_cast<int>(batch);
  STRAIT_ASSIGN_OR_RETURN(timing.clock_hz, NumberTo(object, "clock_hz", kMaxPlanHertz));
  STRAIT_ASSIGN_OR_RETURN(timing.seconds, NumberTo(object, "seconds", kMaxPlanSeconds, /*positive=*/true));
  STRAIT_ASSIGN_OR_RETURN(timing.low_seconds, NumberTo(object, "low_seconds", kMaxPlanSeconds));
  STRAIT_ASSIGN_OR_RETURN(timing.high_seconds, NumberTo(object, "high_seconds", kMaxPlanSeconds));
  STRAIT_ASSIGN_OR_RETURN(timing.joules, NumberTo(object, "joules", kMaxPlanJoules));
  STRAIT_RETURN_IF_ERROR(object.Finish());
  return timing;
}

Result<PowerModel> ReadPower(const nlohmann::json& json, const std::string& where) {
  STRAIT_ASSIGN_OR_RETURN(JsonObject object, JsonObject::Of(json, where));
  PowerModel power;
  STRAIT_ASSIGN_OR_RETURN(power.busy_watts, NumberTo(object, "busy_watts", kMaxPlanWatts));
  STRAIT_ASSIGN_OR_RETURN(power.idle_watts, NumberTo(object, "idle_watts", kMaxPlanWatts));
  STRAIT_ASSIGN_OR_RETURN(power.joules_per_byte, NumberTo(object, "joules_per_byte", kMaxPlanJoules));
  STRAIT_RETURN_IF_ERROR(object.Finish());
  if (power.busy_watts < power.idle_watts) {
    return Error(StatusCode::kCorrupt, where, ": \"busy_watts\" is below \"idle_watts\"");
  }
  return power;
}

// The role is optional; without one a profile is of both sides.
Result<Role> ReadRole(JsonObject& object) {
  if (!object.Has("role")) return Role::kBoth;
  STRAIT_ASSIGN_OR_RETURN(const std::string name, object.String("role"));
  const auto known = std::ranges::find(kRoleNames, name);
  if (known != kRoleNames.end()) return static_cast<Role>(known - kRoleNames.begin());
  return Error(StatusCode::kCorrupt, object.where(), ": \"role\" is \"", name.substr(0, 64),
               "\", not device, server or both");
}

Status ReadClocks(JsonObject& object, Profile& profile) {
  STRAIT_ASSIGN_OR_RETURN(const nlohmann::json* clocks, object.Array("clocks_hz", kMaxProfileClocks));
  for (const nlohmann::json& value : *clocks) {
    const double hz = value.is_number() ? value.get<double>() : 0;
    if (!(hz > (profile.clocks_hz.empty() ? 0 : profile.clocks_hz.back())) || !(hz <= kMaxPlanHertz)) {
      return Error(StatusCode::kCorrupt, object.where(),
                   ": \"clocks_hz\" wants ascending numbers above 0, at most ", kMaxPlanHertz);
    }
    profile.clocks_hz.push_back(hz);
  }
  STRAIT_ASSIGN_OR_RETURN(const int64_t measured, object.Int("clock_measured", 0, 1));
  profile.clock_measured = measured != 0;
  if (profile.clock_measured && profile.clocks_hz.empty()) {
    return Error(StatusCode::kCorrupt, object.where(), ": \"clock_measured\" without \"clocks_hz\"");
  }
  return Status();
}

Status ReadUnits(JsonObject& object, Profile& profile) {
  STRAIT_ASSIGN_OR_RETURN(const nlohmann::json* units, object.Array("units", kMaxPlanModels));
  for (size_t i = 0; i < units->size(); ++i) {
    const std::string where = object.where() + ": units[" + std::to_string(i) + "]";
    STRAIT_ASSIGN_OR_RETURN(JsonObject unit, JsonObject::Of((*units)[i], where));
    ProfiledUnit known;
    STRAIT_ASSIGN_OR_RETURN(known.split, ReadText(unit, "split"));
    STRAIT_ASSIGN_OR_RETURN(const std::string id, unit.String("model_id"));
    STRAIT_RETURN_IF_ERROR(unit.Finish());
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), known.model_id, 16);
    if (id.size() != 16 || error != std::errc() || end != id.data() + id.size()) {
      return Error(StatusCode::kCorrupt, where, ": \"model_id\" wants 16 hexadecimal digits");
    }
    profile.units.push_back(std::move(known));
  }
  return Status();
}

// What tells timings apart.
using TimingKey = std::tuple<Task, const std::string&, double, int, double, int>;
TimingKey KeyOf(const Timing* t) { return {t->task, t->place, t->quality, t->threads, t->clock_hz, t->batch}; }

}  // namespace

const char* TaskName(Task task) { return kTaskNames.at(static_cast<size_t>(task)); }
const char* RoleName(Role role) { return kRoleNames.at(static_cast<size_t>(role)); }

Result<Profile> ParseProfile(std::string_view text, const std::string& name) {
  STRAIT_RETURN_IF_ERROR(CheckValueCount(text, kMaxValues, name));
  STRAIT_ASSIGN_OR_RETURN(const nlohmann::json json, ParseJson(text, name));
  STRAIT_ASSIGN_OR_RETURN(JsonObject object, JsonObject::Of(json, name));
  STRAIT_RETURN_IF_ERROR(CheckFormat(object));
  Profile profile;
  STRAIT_ASSIGN_OR_RETURN(profile.role, ReadRole(object));
  STRAIT_ASSIGN_OR_RETURN(profile.machine, ReadText(object, "machine"));
  STRAIT_ASSIGN_OR_RETURN(profile.backbone_hash, ReadText(object, "backbone_hash"));
  STRAIT_ASSIGN_OR_RETURN(const int64_t cores, object.Int("cores", 1, kMaxPlanThreads));
  profile.cores = static_cast<int>(cores);
  STRAIT_ASSIGN_OR_RETURN(profile.time_scale, NumberTo(object, "time_scale", kMaxTimeScale, /*positive=*/true));
  STRAIT_ASSIGN_OR_RETURN(const nlohmann::json* power, object.Get("power"));
  STRAIT_ASSIGN_OR_RETURN(profile.power, ReadPower(*power, name + ": power"));
  STRAIT_RETURN_IF_ERROR(ReadClocks(object, profile));
  STRAIT_RETURN_IF_ERROR(ReadUnits(object, profile));
  STRAIT_ASSIGN_OR_RETURN(const nlohmann::json* timings, object.Array("timings", kMaxTimings));
  if (timings->empty()) return Error(StatusCode::kCorrupt, name, ": \"timings\" is empty: nothing was measured");
  profile.timings.reserve(timings->size());
  for (size_t i = 0; i < timings->size(); ++i) {
    STRAIT_ASSIGN_OR_RETURN(Timing timing,
                            ReadTiming((*timings)[i], name + ": timings[" + std::to_string(i) + "]"));
    profile.timings.push_back(std::move(timing));
  }
  STRAIT_RETURN_IF_ERROR(object.Finish());
  return profile;
}

Result<Profile> LoadProfile(const std::string& path) {
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path, kMaxFileBytes));
  return ParseProfile({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

std::string ToJson(const Profile& profile) {
  nlohmann::ordered_json timings = nlohmann::ordered_json::array();
  for (const Timing& t : profile.timings) {
    timings.push_back({{"task", TaskName(t.task)},
                       {"place", t.place},
                       {"quality", t.quality},
                       {"threads", t.threads},
                       {"clock_hz", t.clock_hz},
                       {"batch", t.batch},
                       {"seconds", t.seconds},
                       {"low_seconds", t.low_seconds},
                       {"high_seconds", t.high_seconds},
                       {"joules", t.joules}});
  }
  nlohmann::ordered_json units = nlohmann::ordered_json::array();
  for (const ProfiledUnit& unit : profile.units) {
    units.push_back({{"split", unit.split}, {"model_id", fmt::format("{:016x}", unit.model_id)}});
  }
  const nlohmann::ordered_json json = {{"format", kFormat},
                                       {"version", kVersion},
                                       {"role", RoleName(profile.role)},
                                       {"machine", profile.machine},
                                       {"backbone_hash", profile.backbone_hash},
                                       {"cores", profile.cores},
                                       {"time_scale", profile.time_scale},
                                       {"power",
                                        {{"busy_watts", profile.power.busy_watts},
                                         {"idle_watts", profile.power.idle_watts},
                                         {"joules_per_byte", profile.power.joules_per_byte}}},
                                       {"clocks_hz", profile.clocks_hz},
                                       {"clock_measured", profile.clock_measured ? 1 : 0},
                                       {"units", std::move(units)},
                                       {"timings", std::move(timings)}};
  return json.dump(1, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace) + "\n";
}

Status CheckRole(const Profile& profile, Role role, const std::string& path) {
  if (profile.role == Role::kBoth || profile.role == role) return Status();
  return Error(StatusCode::kInvalidArgument, path, ": is a profile of a ", RoleName(profile.role),
               "; give it with --", RoleName(profile.role));
}

TimingIndex::TimingIndex(const Profile& profile) {
  sorted_.reserve(profile.timings.size());
  for (const Timing& timing : profile.timings) sorted_.push_back(&timing);
  std::ranges::stable_sort(sorted_, {}, KeyOf);  // of equal ones the first stays first
}

const Timing* TimingIndex::Find(Task task, const std::string& place, double quality, int threads, double clock_hz,
                                int batch) const {
  const TimingKey key(task, place, quality, threads, clock_hz, batch);
  const auto found = std::ranges::lower_bound(sorted_, key, {}, KeyOf);
  return found == sorted_.end() || KeyOf(*found) != key ? nullptr : *found;
}

}  // namespace strait
