#include "training/run_log.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/file_io.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr auto kTerminalInterval = std::chrono::milliseconds(100);
constexpr auto kPlainInterval = std::chrono::seconds(10);
constexpr int kMinBarColumns = 10;
constexpr int kMaxBarColumns = 40;

bool KeepLine(std::string_view line, int64_t keep_until_step) {
  const nlohmann::json parsed = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return false;
  const auto step = parsed.find("step");
  return step != parsed.end() && step->is_number() && step->get<double>() <= static_cast<double>(keep_until_step);
}

// The whole lines to keep; what follows the last end of line was cut off by an interruption.
std::vector<uint8_t> KeptLines(const std::vector<uint8_t>& bytes, int64_t keep_until_step) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<uint8_t> kept;
  size_t begin = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
    const std::string_view line = text.substr(begin, end - begin);
    if (KeepLine(line, keep_until_step)) {
      kept.insert(kept.end(), line.begin(), line.end());
      kept.push_back('\n');
    }
  }
  return kept;
}

std::string Duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  char text[32];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%lld:%02d:%02d", static_cast<long long>(whole / 3600),
                  static_cast<int>(whole / 60 % 60), static_cast<int>(whole % 60));
  } else {
    std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(whole / 60), static_cast<int>(whole % 60));
  }
  return text;
}

std::string RateText(double per_s) {
  char text[32];
  std::snprintf(text, sizeof text, per_s >= 100 ? "%.0f/s" : per_s >= 1 ? "%.1f/s" : "%.3f/s", per_s);
  return text;
}

int TerminalColumns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

// Cuts at a character, never inside a UTF-8 sequence.
std::string CutTo(std::string text, size_t columns) {
  if (text.size() <= columns) return text;
  while (columns > 0 && (static_cast<unsigned char>(text[columns]) & 0xC0) == 0x80) --columns;
  text.resize(columns);
  return text;
}

}  // namespace

Result<RunLog> RunLog::Open(const std::string& path, int64_t keep_until_step) {
  std::vector<uint8_t> kept;
  std::error_code ignored;
  if (keep_until_step >= 0 && std::filesystem::exists(path, ignored)) {
    STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path));
    kept = KeptLines(bytes, keep_until_step);
  }
  STRAIT_RETURN_IF_ERROR(WriteFileAtomic(path, kept));
  RunLog log;
  log.path_ = path;
  log.file_ = std::fopen(path.c_str(), "ab");
  if (log.file_ == nullptr) return Error(StatusCode::kIo, path, ": cannot append: ", std::strerror(errno));
  return log;
}

RunLog::RunLog(RunLog&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, nullptr)) {}

RunLog& RunLog::operator=(RunLog&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  return *this;
}

RunLog::~RunLog() {
  if (file_ != nullptr) std::fclose(file_);
}

Status RunLog::Write(const nlohmann::json& line) {
  const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size() || std::fflush(file_) != 0) {
    return Error(StatusCode::kIo, path_, ": cannot write: ", std::strerror(errno));
  }
  return Status();
}

std::string FormatProgress(const std::string& label, int64_t first_done, int64_t done, int64_t total,
                           double elapsed_s, const std::string& note, int width) {
  std::ostringstream text;
  if (total > 0) text << 100 * std::min(done, total) / total << "% ";
  text << done;
  if (total > 0) text << '/' << total;
  const double per_s = elapsed_s > 0 ? static_cast<double>(done - first_done) / elapsed_s : 0;
  if (per_s > 0) {
    text << ' ' << RateText(per_s);
    if (total > done) text << ' ' << Duration(static_cast<double>(total - done) / per_s) << " left";
    if (total > 0 && done >= total) text << ' ' << Duration(elapsed_s);
  }
  if (!note.empty()) text << ", " << note;
  const std::string tail = std::move(text).str();

  if (width <= 0) return label + " " + tail;
  const int spare = width - static_cast<int>(label.size() + tail.size()) - 4;  // two spaces and two brackets
  if (total <= 0 || spare < kMinBarColumns) return CutTo(label + " " + tail, static_cast<size_t>(width));
  const auto columns = static_cast<size_t>(std::min(spare, kMaxBarColumns));
  const size_t filled =
      columns * static_cast<size_t>(std::clamp<int64_t>(done, 0, total)) / static_cast<size_t>(total);
  return label + " [" + std::string(filled, '#') + std::string(columns - filled, '.') + "] " + tail;
}

Progress::Progress(std::string label, int64_t total, int64_t first_done)
    : label_(std::move(label)),
      total_(total),
      first_done_(first_done),
      done_(first_done),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

Progress::~Progress() {
  // An error message that follows an abandoned bar starts on a line of its own.
  if (!finished_ && terminal_ && done_ != first_done_) std::fputc('\n', stderr);
}

void Progress::Update(int64_t done, const std::string& note) {
  done_ = done;
  note_ = note;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < (terminal_ ? std::chrono::steady_clock::duration(kTerminalInterval) : kPlainInterval)) return;
  last_ = now;
  Print(now);
}

void Progress::Finish() {
  if (std::exchange(finished_, true)) return;
  if (terminal_ || printed_ != done_) Print(std::chrono::steady_clock::now());
  if (terminal_) std::fputc('\n', stderr);
}

void Progress::Print(std::chrono::steady_clock::time_point now) {
  const double elapsed_s = std::chrono::duration<double>(now - start_).count();
  // One column stays free: a full line would wrap and the next carriage return would miss its start.
  const int width = terminal_ ? TerminalColumns() - 1 : 0;
  const std::string line = FormatProgress(label_, first_done_, done_, total_, elapsed_s, note_, width);
  std::fprintf(stderr, terminal_ ? "\r%s\x1b[K" : "%s\n", line.c_str());
  std::fflush(stderr);
  printed_ = done_;
}

}  // namespace strait
