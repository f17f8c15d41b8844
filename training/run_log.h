// What a run tells: one JSON object a line in metrics.jsonl, and progress on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "strait/result.h"

namespace strait {

// Appends to `path`; every line is flushed, so that an interrupted run keeps what it measured.
class RunLog {
 public:
  // Keeps lines whose "step" is at most keep_until_step (a resumed run drops what it will measure again);
  // -1 starts an empty log.
  static Result<RunLog> Open(const std::string& path, int64_t keep_until_step);
  RunLog(RunLog&& other) noexcept;
  RunLog& operator=(RunLog&& other) noexcept;
  ~RunLog();
  Status Write(const nlohmann::json& line);

 private:
  RunLog() = default;
  std::string path_;
  std::FILE* file_ = nullptr;
};

// A bar with rate and time left when stderr is a terminal, otherwise a plain line now and then
// (at most one every ten seconds, always the last).
class Progress {
 public:
  Progress(std::string label, int64_t total);
  ~Progress();
  void Update(int64_t done, const std::string& note);  // note: "loss 0.41, 1.2 bits"
  void Finish();

 private:
  std::string label_;
  int64_t total_;
  bool terminal_;
  bool finished_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace strait
