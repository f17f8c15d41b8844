#include "request_log.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <numeric>

#include "socket.h"

namespace split_inference {
namespace {

using strait::Result;
using strait::Route;
using strait::Status;

// "local", "split layer2", "offload jpeg".
std::string NameOf(const RequestRecord& record) {
  std::string name = strait::RouteName(record.entry->route);
  if (record.entry->route != Route::kLocal) name += " " + record.entry->split;
  return record.given_up ? name + ", given up" : name;
}

std::string Line(const std::string& name, std::vector<double> seconds) {
  std::ranges::sort(seconds);
  const auto count = static_cast<double>(seconds.size());
  const double mean = std::accumulate(seconds.begin(), seconds.end(), 0.0) / count;
  const auto quantile = [&](double q) { return 1e3 * seconds[static_cast<size_t>(q * (count - 1))]; };
  char line[256];
  std::snprintf(line, sizeof(line), "%zu answers, %.2f ms mean, %.2f ms median, %.2f ms 95th percentile\n",
                seconds.size(), 1e3 * mean, quantile(0.5), quantile(0.95));
  return "# " + name + ": " + line;
}

}  // namespace

std::optional<uint32_t> ClassOf(const std::string& path, const std::vector<std::string>& classes) {
  const std::string stem = std::filesystem::path(path).stem().string();
  const std::string name = stem.substr(stem.find('-') + 1);  // all of it where there is none
  const auto found = std::ranges::find(classes, name);
  if (found != classes.end()) return static_cast<uint32_t>(found - classes.begin());
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = error == std::errc() && end == name.data() + name.size();
  return is_number && name != stem ? std::optional(number) : std::nullopt;
}

Result<RequestLog> RequestLog::Open(const std::string& path) {
  RequestLog log;
  if (path.empty()) return log;
  log.path_ = path;
  log.file_.reset(std::fopen(path.c_str(), "w"));
  if (!log.file_) return SystemError(path, errno);
  std::fprintf(log.file_.get(),
               "seconds,route,split,quality,bytes,expected_ms,measured_ms,server_ms,given_up,right\n");
  return log;
}

void RequestLog::Add(const RequestRecord& record) {
  seconds_[NameOf(record)].push_back(record.measured_seconds);
  bytes_ += static_cast<double>(record.bytes);
  if (!file_) return;
  const strait::PlanEntry& entry = *record.entry;
  std::fprintf(file_.get(), "%.6f,%s,%s,%g,%zu,%.3f,%.3f,%.3f,%d,%s\n", record.start_seconds,
               strait::RouteName(entry.route), entry.split.c_str(), entry.quality, record.bytes,
               1e3 * record.expected_seconds, 1e3 * record.measured_seconds, 1e3 * record.server_seconds,
               record.given_up ? 1 : 0, record.right ? (*record.right ? "1" : "0") : "");
}

Status RequestLog::Close() {
  if (!file_) return {};
  const bool failed = std::ferror(file_.get()) != 0;
  if (std::fclose(file_.release()) != 0 || failed) return SystemError(path_, errno);
  return {};
}

std::string RequestLog::Summary() const {
  std::vector<double> all;
  for (const auto& [name, seconds] : seconds_) all.insert(all.end(), seconds.begin(), seconds.end());
  if (all.empty()) return {};
  char bytes[64];
  std::snprintf(bytes, sizeof(bytes), "all, %.1f bytes an image", bytes_ / static_cast<double>(all.size()));
  std::string text = Line(bytes, all);
  for (const auto& [name, seconds] : seconds_) text += Line(name, seconds);
  return text;
}

}  // namespace split_inference
