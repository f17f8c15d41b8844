#include "bindings/python/errors.h"

namespace strait::python {

py::object MakeError(StatusCode code, const std::string& message) {
  const py::object classes = py::module_::import("strait.errors").attr("BY_STATUS");
  return classes[py::str(std::string(StatusCodeName(code)))](message);
}

void Raise(StatusCode code, const std::string& message) {
  const py::object error = MakeError(code, message);
  PyErr_SetObject(py::type::handle_of(error).ptr(), error.ptr());
  throw py::error_already_set();
}

}  // namespace strait::python
