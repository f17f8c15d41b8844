// The border of the public API: what the standard library throws when memory ends becomes a Status.
#pragma once

#include <new>
#include <stdexcept>
#include <utility>

#include "entropy/error.h"

namespace strait {

// Runs `body`, which returns a Status or a Result. `doing` stands at the start of the error: "decode".
template <typename Body>
auto NoThrow(const char* doing, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    try {
      return Error(StatusCode::kLimitExceeded, doing, ": out of memory; lower the Limits or give the process more");
    } catch (const std::bad_alloc&) {
      return Status(StatusCode::kLimitExceeded);
    }
  } catch (const std::length_error&) {
    return Error(StatusCode::kLimitExceeded, doing, ": more elements than memory can hold; lower the Limits");
  }
}

}  // namespace strait
