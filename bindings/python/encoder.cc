#include "strait/encoder.h"

#include <pybind11/stl.h>

#include <string>

#include "bindings/python/array_view.h"
#include "bindings/python/errors.h"
#include "bindings/python/guarded.h"
#include "bindings/python/module.h"

namespace strait::python {
namespace {

constexpr char kClassDoc[] = R"(Turns feature tensors into frames: analysis, quantisation, entropy coding.

model: a Model, shared, not copied
threads: that one call may use, the caller's included; 1 to 64, others are clamped. Frames are the same for any number.
limits: a Limits; None for the defaults

After the first call with a shape the library keeps what that shape needs. The GIL is released while it works. One encoder
may be called from several threads, but takes one call at a time and lets the others wait: give each thread its own to
run them at once. Its threads do not survive a fork: make encoders after it.)";

constexpr char kEncodeDoc[] = R"(Encode a feature tensor into a frame: bytes.

array: (N, C, H, W) or (N, T, C) with the model's channels, any batch N and, up to the limits, any H, W or T; a NumPy array
    or anything else with the buffer protocol, read-only or not, or with __dlpack__ in CPU memory, as a PyTorch tensor.
    float32, float16, int8, and through DLPack bfloat16; contiguous, or (N, C, H, W) in channels-last memory. It is
    read where it lies, without a copy, and must not be changed during the call. All values are finite.
quality: real number in [0, len(model.levels) - 1], kept in sixteenths; None is the highest level
max_bytes: instead of quality: take the best quality whose frame has at most so many bytes
checksum: add 4 bytes that catch corruption and a wrong model
scale: of int8 alone: value = scale * integer; None is 1

Raises InvalidArgumentError (shape, quality, values, scale), UnsupportedError (element type, strides, device),
LimitExceededError (limits; max_bytes, naming the smallest size that would do), TypeError (not an array).)";

constexpr char kBoundDoc[] =
    R"(Bytes that no frame of a tensor of this shape passes, whatever its values and the options.

shape: of the feature tensor, batch first
Raises as encode does for a shape.)";

class PyEncoder {
 public:
  PyEncoder(const PyModel& model, int threads, const std::optional<Limits>& limits)
      : model_(model), encoder_(Encoder(model.model, {limits.value_or(Limits()), threads})) {}

  const PyModel& model() const { return model_; }

  py::bytes Encode(const py::object& array, std::optional<double> quality, std::optional<int64_t> max_bytes,
                   bool checksum, std::optional<double> scale) {
    EncodeOptions options{.quality = quality, .checksum = checksum};
    if (max_bytes) {
      if (*max_bytes < 0) {
        Raise(StatusCode::kInvalidArgument, "max_bytes: wanted 0 or more, got " + std::to_string(*max_bytes));
      }
      options.max_bytes = static_cast<size_t>(*max_bytes);
    }
    const ArrayView view("array", array, scale, ArrayView::Access::kRead);
    std::vector<uint8_t> frame;
    RaiseIfError(encoder_.Run([&](Encoder& encoder) { return encoder.Encode(view.src(), options, frame); }));
    return py::bytes(reinterpret_cast<const char*>(frame.data()), frame.size());
  }

  size_t EncodeBound(const std::vector<int64_t>& dims) {
    if (dims.size() > Shape::kMaxRank) {
      Raise(StatusCode::kInvalidArgument, "shape: has " + std::to_string(dims.size()) +
                                              " dimensions, wanted at most " + std::to_string(Shape::kMaxRank));
    }
    const Shape shape(dims);
    return ValueOrRaise(encoder_.Run([&](Encoder& encoder) { return encoder.EncodeBound(shape); }));
  }

 private:
  PyModel model_;
  Guarded<Encoder> encoder_;
};

}  // namespace

void BindEncoder(py::module_& module) {
  py::class_<PyEncoder>(module, "Encoder", kClassDoc)
      .def(py::init<const PyModel&, int, const std::optional<Limits>&>(), py::arg("model"), py::arg("threads") = 1,
           py::kw_only(), py::arg("limits") = py::none())
      .def_property_readonly("model", &PyEncoder::model, "The model it was made with.")
      .def("encode", &PyEncoder::Encode, py::arg("array"), py::kw_only(), py::arg("quality") = py::none(),
           py::arg("max_bytes") = py::none(), py::arg("checksum") = false, py::arg("scale") = py::none(),
           kEncodeDoc)
      .def("encode_bound", &PyEncoder::EncodeBound, py::arg("shape"), kBoundDoc);
}

}  // namespace strait::python
