// A tensor in the memory of a Python object: whatever has the buffer protocol (NumPy arrays, memoryviews) or DLPack
// (PyTorch tensors). Nothing is copied; a view holds the object's buffer for as long as it lives.
// Needs the GIL to be made and destroyed, not to be read.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>

#include "strait/tensor.h"

namespace strait::python {

namespace py = pybind11;

// A Py_buffer that gives itself back.
class BufferHold {
 public:
  BufferHold() = default;
  BufferHold(const BufferHold&) = delete;
  BufferHold& operator=(const BufferHold&) = delete;
  ~BufferHold() {
    if (held_) PyBuffer_Release(&buffer_);
  }

  // False, with a Python exception set, when `object` has no buffer of that kind.
  bool Get(py::handle object, int flags) {
    held_ = PyObject_GetBuffer(object.ptr(), &buffer_, flags) == 0;
    return held_;
  }
  const Py_buffer& operator*() const { return buffer_; }
  const Py_buffer* operator->() const { return &buffer_; }

 private:
  Py_buffer buffer_ = {};
  bool held_ = false;
};

class ArrayView {
 public:
  enum class Access { kRead, kWrite };

  // `name` is the argument's, for messages. `scale` belongs to int8 alone. Raises TypeError (not an array),
  // UnsupportedError (element type, byte order, device) and InvalidArgumentError (read-only where it is to be
  // written, alignment, scale).
  ArrayView(const char* name, py::handle array, std::optional<double> scale, Access access);
  ArrayView(const ArrayView&) = delete;
  ArrayView& operator=(const ArrayView&) = delete;

  TensorView src() const { return view_; }
  const MutableTensorView& dst() const { return view_; }

 private:
  void ReadBuffer();
  void ReadDlpack(py::handle array);
  void CheckRank(int64_t rank) const;
  void CheckAligned() const;

  const char* name_;
  BufferHold buffer_;   // one of the two
  py::object capsule_;  // its destructor frees the exported tensor
  MutableTensorView view_;
};

}  // namespace strait::python
