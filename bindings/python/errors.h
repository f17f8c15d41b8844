// From a Status to a Python exception: the classes are those of strait/errors.py, one a status.
// Needs the GIL, as everything in this folder that touches a Python object.
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <utility>

#include "strait/result.h"
#include "strait/status.h"

namespace strait::python {

namespace py = pybind11;

// The exception that stands for `code`, not raised.
py::object MakeError(StatusCode code, const std::string& message);

// Raises it: throws py::error_already_set.
[[noreturn]] void Raise(StatusCode code, const std::string& message);

inline void RaiseIfError(const Status& status) {
  if (!status.ok()) Raise(status.code(), status.message());
}

template <typename T>
T ValueOrRaise(Result<T> result) {
  RaiseIfError(result.status());
  return std::move(result).value();
}

}  // namespace strait::python
