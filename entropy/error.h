// Builds the Status of a failure: Error(code, "frame: need ", n, " bytes, have ", m).
#pragma once

#include <sstream>

#include "strait/result.h"
#include "strait/status.h"

namespace strait {

template <typename... Args>
Status Error(StatusCode code, const Args&... args) {
  std::ostringstream message;
  (message << ... << args);
  return Status(code, std::move(message).str());
}

}  // namespace strait
