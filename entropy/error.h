// Builds the Status of a failure: Error(code, "frame: need ", n, " bytes, have ", m).
// A message is one line that a terminal can show whatever file its parts came from: control characters become '?'.
#pragma once

#include <sstream>
#include <string>

#include "strait/result.h"
#include "strait/status.h"

namespace strait {

template <typename... Args>
Status Error(StatusCode code, const Args&... args) {
  std::ostringstream stream;
  (stream << ... << args);
  std::string message = std::move(stream).str();
  for (char& c : message) {
    if ((c >= 0 && c < 32) || c == 127) c = '?';
  }
  return Status(code, std::move(message));
}

}  // namespace strait
