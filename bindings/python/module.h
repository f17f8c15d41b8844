// The parts of the extension module, each bound in a file of its own.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "strait/model.h"

namespace strait::python {

namespace py = pybind11;

// What Python calls a Model: pybind11 cannot hold a pointer to const.
struct PyModel {
  std::shared_ptr<const Model> model;
};

void BindLimits(py::module_& module);
void BindModel(py::module_& module);
void BindFrameInfo(py::module_& module);
void BindEncoder(py::module_& module);
void BindDecoder(py::module_& module);

}  // namespace strait::python
