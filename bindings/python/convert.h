// Small values between Python and Strait: shapes, and bytes that are borrowed.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>

#include "bindings/python/array_view.h"
#include "strait/tensor.h"

namespace strait::python {

namespace py = pybind11;

inline py::tuple ToTuple(const Shape& shape) {
  py::tuple tuple(shape.size());
  for (size_t i = 0; i < shape.size(); ++i) tuple[i] = shape[i];
  return tuple;
}

// Any contiguous bytes-like object, read-only or not, held while this lives. Raises what Python raises for others.
class ByteView {
 public:
  explicit ByteView(py::handle object) {
    if (!buffer_.Get(object, PyBUF_SIMPLE)) throw py::error_already_set();
  }
  std::span<const uint8_t> span() const {
    return {static_cast<const uint8_t*>(buffer_->buf), static_cast<size_t>(buffer_->len)};
  }

 private:
  BufferHold buffer_;
};

}  // namespace strait::python
