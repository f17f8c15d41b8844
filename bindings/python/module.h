// The parts of the extension module, each bound in a file of its own.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "strait/controller.h"
#include "strait/model.h"

namespace strait::python {

namespace py = pybind11;

// What Python calls a Model and a Plan: pybind11 cannot hold a pointer to const.
struct PyModel {
  std::shared_ptr<const Model> model;
};
struct PyPlan {
  std::shared_ptr<const Plan> plan;
};

void BindLimits(py::module_& module);
void BindModel(py::module_& module);
void BindFrameInfo(py::module_& module);
void BindEncoder(py::module_& module);
void BindDecoder(py::module_& module);
void BindPlan(py::module_& module);
void BindController(py::module_& module);

}  // namespace strait::python
