#include <pybind11/stl.h>

#include <string>

#include "bindings/python/convert.h"
#include "bindings/python/errors.h"
#include "bindings/python/module.h"
#include "strait/controller.h"

namespace strait::python {
namespace {

PyPlan Load(const py::object& path) {
  const std::string name = py::bytes(py::module_::import("os").attr("fsencode")(path));
  auto plan = [&] {
    const py::gil_scoped_release without_gil;
    return Plan::Load(name);
  }();
  return {ValueOrRaise(std::move(plan))};
}

PyPlan FromBytes(const py::object& data) {
  const ByteView bytes(data);
  auto plan = [&] {
    const py::gil_scoped_release without_gil;
    return Plan::FromBytes(bytes.span());
  }();
  return {ValueOrRaise(std::move(plan))};
}

void BindEntry(py::module_& module) {
  py::class_<PlanEntry>(module, "PlanEntry", R"(One configuration of a plan and what it takes for a batch.

The times do not include the network: Plan.latency and Plan.energy do.)")
      .def_property_readonly(
          "route", [](const PlanEntry& self) { return RouteName(self.route); },
          "\"local\": all on the device; \"split\": head, frame, tail; \"offload\": the input is sent.")
      .def_readonly("split", &PlanEntry::split, "The cut's name; \"jpeg\" or \"raw\" of an offload; else empty.")
      .def_readonly("quality", &PlanEntry::quality, "Of the encoder, or of JPEG; else 0.")
      .def_readonly("threads", &PlanEntry::threads, "Of the device.")
      .def_readonly("frequency_hz", &PlanEntry::frequency_hz, "Clock of the device's cores; 0: as it is.")
      .def_readonly("batch", &PlanEntry::batch, "Samples that the figures below are for.")
      .def_readonly("device_seconds", &PlanEntry::device_seconds)
      .def_readonly("server_seconds", &PlanEntry::server_seconds, "Of an idle server.")
      .def_readonly("bytes", &PlanEntry::bytes, "Mean size of what is sent.")
      .def_readonly("device_joules", &PlanEntry::device_joules, "While the device computes.")
      .def_readonly("accuracy", &PlanEntry::accuracy, "Percent.")
      .def("__repr__", [](const PlanEntry& self) {
        return py::str("<strait.PlanEntry {} {!r} quality {:g}, batch {}, {:.0f} bytes, accuracy {:.2f}>")
            .format(RouteName(self.route), self.split, self.quality, self.batch, self.bytes, self.accuracy);
      });
}

void BindPlanModel(py::module_& module) {
  py::class_<PlanModel>(module, "PlanModel", "A unit that entries of route \"split\" encode with.")
      .def_readonly("split", &PlanModel::split)
      .def_readonly("file", &PlanModel::file, "Model file, relative to the plan's folder unless absolute.")
      .def_readonly("id", &PlanModel::id, "Model.id of that file.")
      .def("__repr__", [](const PlanModel& self) {
        return py::str("<strait.PlanModel {!r} in {!r}>").format(self.split, self.file);
      });
}

}  // namespace

void BindPlan(py::module_& module) {
  BindEntry(module);
  BindPlanModel(module);
  py::class_<PyPlan>(module, "Plan", R"(Configurations worth running, made offline by `strait-plan solve`.

Immutable: share one plan between any number of controllers and threads.)")
      .def_static("load", &Load, py::arg("path"), R"(Read and check a plan file. The GIL is released meanwhile.

Raises FileError, CorruptError, UnsupportedError, LimitExceededError; the message names the file and the entry.)")
      .def_static("from_bytes", &FromBytes, py::arg("data"),
                  "The same from the bytes of a plan file: any bytes-like object, not needed after the call.")
      .def_property_readonly(
          "entries", [](const PyPlan& self) { return self.plan->entries(); }, "A new list of PlanEntry.")
      .def_property_readonly(
          "models", [](const PyPlan& self) { return self.plan->models(); }, "A new list of PlanModel.")
      .def_property_readonly(
          "backbone_hash", [](const PyPlan& self) { return self.plan->backbone_hash(); },
          "Of the network the figures are of.")
      .def_property_readonly(
          "device", [](const PyPlan& self) { return self.plan->device(); }, "What was measured, in words.")
      .def_property_readonly(
          "server", [](const PyPlan& self) { return self.plan->server(); }, "What was measured, in words.")
      .def_property_readonly(
          "idle_watts", [](const PyPlan& self) { return self.plan->idle_watts(); },
          "Of the device while it waits for an answer.")
      .def_property_readonly(
          "joules_per_byte", [](const PyPlan& self) { return self.plan->joules_per_byte(); }, "Of its radio.")
      .def_property_readonly(
          "switch_seconds", [](const PyPlan& self) { return self.plan->switch_seconds(); },
          "What changing the split or the route costs a request.")
      .def(
          "latency",
          [](const PyPlan& self, const PlanEntry& entry, const ChannelState& channel, int batch) {
            return Latency(*self.plan, entry, channel, batch);
          },
          py::arg("entry"), py::arg("channel"), py::arg("batch") = 1,
          "Expected seconds of an entry for `batch` samples; infinite where it needs a channel and there is none.")
      .def(
          "energy",
          [](const PyPlan& self, const PlanEntry& entry, const ChannelState& channel, int batch) {
            return Energy(*self.plan, entry, channel, batch);
          },
          py::arg("entry"), py::arg("channel"), py::arg("batch") = 1,
          "Expected joules of the device: of computing, of the bytes and of waiting.")
      .def("__repr__", [](const PyPlan& self) {
        return py::str("<strait.Plan of {} entries for {!r}>")
            .format(self.plan->entries().size(), self.plan->device());
      });
}

}  // namespace strait::python
