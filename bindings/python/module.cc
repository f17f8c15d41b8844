// The extension module strait._strait; strait/__init__.py is what users import.
#include "bindings/python/module.h"

#include "strait/version.h"

PYBIND11_MODULE(_strait, module) {
  module.doc() = "The compiled part of strait: import strait instead.";
  module.attr("__version__") = STRAIT_VERSION;
  strait::python::BindLimits(module);
  strait::python::BindModel(module);
  strait::python::BindFrameInfo(module);
  strait::python::BindEncoder(module);
  strait::python::BindDecoder(module);
  strait::python::BindPlan(module);
  strait::python::BindController(module);
}
