// What a run tells: one JSON object a line in metrics.jsonl, and progress on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json_fwd.hpp>
#include <string>

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

// One line of progress without its end: "epoch 3 [#####.....] 50% 128/256 12.5/s 0:10 left, loss 0.41". The bar
// takes what is left of `width` columns; 0: no bar and nothing cut. Rate and time left are of the done - first_done
// steps of this process.
std::string FormatProgress(const std::string& label, int64_t first_done, int64_t done, int64_t total,
                           double elapsed_s, const std::string& note, int width);

// A bar with rate and time left when stderr is a terminal, otherwise a plain line now and then
// (at most one every ten seconds, always the last).
class Progress {
 public:
  // total 0: unknown, no bar and no time left. `first_done`: steps done before this process (a resumed run).
  Progress(std::string label, int64_t total, int64_t first_done = 0);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();
  void Update(int64_t done, const std::string& note);  // note: "loss 0.41, 1.2 bits"
  void Finish();

 private:
  std::string label_;
  int64_t total_;
  int64_t first_done_;
  int64_t done_;
  int64_t printed_ = -1;
  std::string note_;
  bool terminal_;
  bool finished_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;

  void Print(std::chrono::steady_clock::time_point now);
};

}  // namespace strait
