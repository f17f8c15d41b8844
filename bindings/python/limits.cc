#include "strait/limits.h"

#include "bindings/python/module.h"

namespace strait::python {

void BindLimits(py::module_& module) {
  const Limits defaults;
  py::class_<Limits>(module, "Limits", R"(Upper bounds on what hostile bytes can make Strait allocate.

max_tensor_elements: of one feature tensor or latent, batch included
max_transform_elements: of all values that one transform makes, together
max_model_bytes: size of a model file in bytes)")
      .def(py::init([](int64_t tensor_elements, int64_t transform_elements, int64_t model_bytes) {
             return Limits{tensor_elements, transform_elements, model_bytes};
           }),
           py::kw_only(), py::arg("max_tensor_elements") = defaults.max_tensor_elements,
           py::arg("max_transform_elements") = defaults.max_transform_elements,
           py::arg("max_model_bytes") = defaults.max_model_bytes)
      .def_readonly("max_tensor_elements", &Limits::max_tensor_elements)
      .def_readonly("max_transform_elements", &Limits::max_transform_elements)
      .def_readonly("max_model_bytes", &Limits::max_model_bytes);
}

}  // namespace strait::python
