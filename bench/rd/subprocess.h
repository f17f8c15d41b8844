// Other programs that the tool asks for plots and for codecs, and a place for the files between them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "strait/result.h"

namespace strait {

// Whether a program of this name is on PATH.
bool HasProgram(const std::string& name);

// Runs a program of PATH with these arguments, without a shell, its stdout in a file where one is named. Errors:
// kIo with the last lines of what it said on stderr, or when an InterruptScope saw a signal meanwhile.
Status RunProgram(const std::vector<std::string>& arguments, const std::string& stdout_path = "");

// A folder of its own in the system's place for temporary files, removed at the end.
class TempFolder {
 public:
  static Result<std::unique_ptr<TempFolder>> Create();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string operator/(const char* file) const { return path_ + "/" + file; }

 private:
  explicit TempFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace strait
