// The border between LibTorch, which throws, and Strait, which returns a Status.
#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <string>
#include <utility>

#include "entropy/error.h"

namespace strait {

// What a LibTorch error says in one line: TorchScript puts the reason last, other errors first; no backtrace.
std::string TorchMessage(const std::exception& error);

// Runs `body`, which returns a Status or a Result; anything it throws becomes an error that begins with `where`.
template <typename Body>
auto CatchTorch(StatusCode code, const std::string& where, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const std::exception& error) {
    return Error(code, where, ": ", TorchMessage(error));
  }
}

}  // namespace strait
