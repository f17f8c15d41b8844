#include "bindings/python/array_view.h"

#include <cstdint>
#include <string>

#include "bindings/python/errors.h"

namespace strait::python {

ArrayView::ArrayView(const char* name, py::handle array, std::optional<double> scale, Access access) : name_(name) {
  const bool has_buffer = PyObject_CheckBuffer(array.ptr()) != 0;
  const bool has_dlpack = py::hasattr(array, "__dlpack__");
  const int flags = access == Access::kWrite ? PyBUF_RECORDS : PyBUF_RECORDS_RO;
  if (has_buffer && buffer_.Get(array, flags)) {
    ReadBuffer();
  } else if (has_dlpack && (!has_buffer || access == Access::kRead)) {
    // Never around a buffer that refuses to be written: the DLPack that is read here cannot say that memory is
    // read-only.
    PyErr_Clear();
    ReadDlpack(array);
  } else if (has_buffer) {
    const py::error_already_set refusal;
    const std::string reason = py::str(refusal.value());
    Raise(access == Access::kWrite ? StatusCode::kInvalidArgument : StatusCode::kUnsupported,
          std::string(name) + ": its memory cannot be used in place (" + reason + ")");
  } else {
    throw py::type_error(std::string(name) + ": wanted an array with the buffer protocol or __dlpack__, got " +
                         std::string(py::str(py::type::handle_of(array).attr("__name__"))));
  }
  CheckAligned();
  if (!scale) return;
  if (view_.dtype != DType::kInt8) {
    Raise(StatusCode::kInvalidArgument,
          std::string("scale: belongs to int8 alone, ") + name + " is " + DTypeName(view_.dtype));
  }
  view_.scale = static_cast<float>(*scale);
}

void ArrayView::CheckRank(int64_t rank) const {
  if (rank >= 0 && rank <= static_cast<int64_t>(Shape::kMaxRank)) return;
  Raise(StatusCode::kInvalidArgument, std::string(name_) + ": has " + std::to_string(rank) +
                                          " dimensions, wanted at most " + std::to_string(Shape::kMaxRank));
}

// An address that no processor promises to read from in one go comes from frombuffer with an odd offset.
void ArrayView::CheckAligned() const {
  if (reinterpret_cast<uintptr_t>(view_.data) % ElementBytes(view_.dtype) == 0) return;
  Raise(StatusCode::kUnsupported, std::string(name_) + ": is not aligned to its elements; make a copy");
}

}  // namespace strait::python
