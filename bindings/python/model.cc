#include "strait/model.h"

#include <pybind11/stl.h>

#include <cstdio>
#include <string>

#include "bindings/python/convert.h"
#include "bindings/python/errors.h"
#include "bindings/python/module.h"

namespace strait::python {
namespace {

PyModel Load(const py::object& path, const std::optional<Limits>& limits) {
  const std::string name = py::bytes(py::module_::import("os").attr("fsencode")(path));
  auto model = [&] {
    const py::gil_scoped_release without_gil;
    return Model::Load(name, limits.value_or(Limits()));
  }();
  return {ValueOrRaise(std::move(model))};
}

PyModel FromBytes(const py::object& data, const std::optional<Limits>& limits) {
  const ByteView bytes(data);
  auto model = [&] {
    const py::gil_scoped_release without_gil;
    return Model::FromBytes(bytes.span(), limits.value_or(Limits()));
  }();
  return {ValueOrRaise(std::move(model))};
}

std::string Describe(const PyModel& self) {
  char id[17];
  std::snprintf(id, sizeof id, "%016llx", static_cast<unsigned long long>(self.model->id()));
  return std::string("<strait.Model ") + id + ", features " + ToString(self.model->feature_shape()) + ", latent " +
         ToString(self.model->latent_shape()) + ", " + std::to_string(self.model->levels().size()) + " levels>";
}

void BindLevel(py::module_& module) {
  py::class_<LevelInfo>(module, "Level", R"(One trained rate point of a model.

lambda_: rate-distortion weight the level was trained with
bytes_per_sample: mean size of a real frame in bytes, header included, no checksum
top1: accuracy in percent through the codec
The last two were measured at export over validation data; NaN when the model holds no measurement.)")
      .def_readonly("lambda_", &LevelInfo::lambda)
      .def_readonly("bytes_per_sample", &LevelInfo::bytes_per_sample)
      .def_readonly("top1", &LevelInfo::top1)
      .def("__repr__", [](const LevelInfo& self) {
        return py::str("<strait.Level lambda {:g}, {:.1f} bytes a sample, top1 {:.2f}>")
            .format(self.lambda, self.bytes_per_sample, self.top1);
      });
}

}  // namespace

void BindModel(py::module_& module) {
  BindLevel(module);
  py::class_<PyModel>(module, "Model", R"(A trained bottleneck unit, loaded from a model file.

Immutable: share one model between any number of encoders, decoders and threads.)")
      .def_static("load", &Load, py::arg("path"), py::kw_only(), py::arg("limits") = py::none(),
                  R"(Read and check a model file. The GIL is released meanwhile.

Raises FileError, TruncatedError, CorruptError, UnsupportedError, LimitExceededError; the message names the file.)")
      .def_static("from_bytes", &FromBytes, py::arg("data"), py::kw_only(), py::arg("limits") = py::none(),
                  R"(The same from the bytes of a model file: any bytes-like object, not needed after the call.)")
      .def_property_readonly(
          "id", [](const PyModel& self) { return self.model->id(); },
          "XXH3-64 of the file's bytes, an int; messages show it in hexadecimal.")
      .def_property_readonly(
          "feature_shape", [](const PyModel& self) { return ToTuple(self.model->feature_shape()); },
          "Default shape of one feature tensor without the batch: (C, H, W) or (T, C).")
      .def_property_readonly(
          "latent_shape", [](const PyModel& self) { return ToTuple(self.model->latent_shape()); },
          "Shape of the latent of one sample of feature_shape.")
      .def_property_readonly(
          "levels", [](const PyModel& self) { return self.model->levels(); },
          "List of Level, from the fewest bytes (quality 0) to the most (quality len(levels) - 1).")
      .def_property_readonly(
          "manifest",
          [](const PyModel& self) { return py::module_::import("json").attr("loads")(self.model->manifest()); },
          "The manifest of the file as a new dict: transforms, shapes, levels, provenance.")
      .def_property_readonly(
          "analysis_macs", [](const PyModel& self) { return self.model->analysis_macs(); },
          "Multiply-adds of the analysis transform for one sample of feature_shape.")
      .def_property_readonly(
          "synthesis_macs", [](const PyModel& self) { return self.model->synthesis_macs(); },
          "Multiply-adds of the synthesis transform for one sample of feature_shape.")
      .def_property_readonly(
          "analysis_params", [](const PyModel& self) { return self.model->analysis_params(); },
          "Parameters of the analysis transform.")
      .def_property_readonly(
          "synthesis_params", [](const PyModel& self) { return self.model->synthesis_params(); },
          "Parameters of the synthesis transform.")
      .def("__repr__", &Describe);
}

}  // namespace strait::python
