// An Encoder or Decoder that any number of Python threads may call: one call at a time, the others wait.
#pragma once

#include <pybind11/pybind11.h>

#include <mutex>
#include <utility>

namespace strait::python {

template <typename Coder>
class Guarded {
 public:
  explicit Guarded(Coder coder) : coder_(std::move(coder)) {}

  // Runs `body(coder)` without the GIL, which is given up before the mutex is waited for and taken back after it is
  // free again: a thread that held one while waiting for the other could stand in another's way for ever.
  template <typename Body>
  auto Run(Body&& body) {
    const pybind11::gil_scoped_release without_gil;
    const std::lock_guard<std::mutex> lock(mutex_);
    return body(coder_);
  }

 private:
  std::mutex mutex_;
  Coder coder_;
};

}  // namespace strait::python
