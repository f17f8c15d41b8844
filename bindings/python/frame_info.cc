#include "bindings/python/convert.h"
#include "bindings/python/errors.h"
#include "bindings/python/module.h"
#include "strait/decoder.h"

namespace strait::python {
namespace {

py::object ShapeOrNone(const FrameInfo& info) {
  if (!info.has_shape) return py::none();
  return ToTuple(info.shape);
}

std::string Describe(const FrameInfo& info) {
  return py::str("<strait.FrameInfo version {}, quality {:g}, shape {}, checksum {}, {} + {} bytes>")
      .format(info.version, info.quality, ShapeOrNone(info), info.has_checksum, info.header_bytes,
              info.payload_bytes);
}

}  // namespace

void BindFrameInfo(py::module_& module) {
  py::class_<FrameInfo>(module, "FrameInfo", "What a frame says of itself, readable without its model and payload.")
      .def_readonly("version", &FrameInfo::version, "Version of the frame format.")
      .def_readonly("quality", &FrameInfo::quality, "The quality it was encoded at: 0 is the lowest level.")
      .def_readonly("has_checksum", &FrameInfo::has_checksum)
      .def_property_readonly("shape", &ShapeOrNone,
                             "Of the feature tensor, batch first; None: the model's default shape, batch 1.")
      .def_readonly("header_bytes", &FrameInfo::header_bytes, "Everything before the payload, checksum included.")
      .def_readonly("payload_bytes", &FrameInfo::payload_bytes)
      .def("__repr__", &Describe);

  module.def(
      "frame_info",
      [](const py::object& frame) {
        const ByteView bytes(frame);
        return ValueOrRaise(ReadFrameInfo(bytes.span()));
      },
      py::arg("frame"), R"(Read the header of a frame (any bytes-like object) into a FrameInfo.

Raises TruncatedError, CorruptError, UnsupportedError.)");
}

}  // namespace strait::python
