#include "strait/decoder.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <deque>
#include <string>
#include <vector>

#include "bindings/python/array_view.h"
#include "bindings/python/convert.h"
#include "bindings/python/errors.h"
#include "bindings/python/guarded.h"
#include "bindings/python/module.h"

namespace strait::python {
namespace {

constexpr char kClassDoc[] = R"(Turns frames back into feature tensors: entropy decoding, synthesis.

model: a Model, shared, not copied; the one the frames were made with
threads: that one call may use, the caller's included; 1 to 64, others are clamped. Tensors are the same for any number.
limits: a Limits; None for the defaults. Frames are treated as hostile: every failure is an exception, memory is bounded.

The GIL is released while it works. One decoder may be called from several threads, but takes one call at a time and lets
the others wait: give each thread its own to run them at once. Its threads do not survive a fork: make decoders after it.)";

constexpr char kDecodeDoc[] = R"(Restore the feature tensor of a frame.

frame: any bytes-like object, read where it lies; it must not be changed during the call
out: an array to write, of the frame's shape (shape_of) and any element type and memory layout that encode takes; it is
    written in place and returned. None: a new NumPy array of float32, which torch.from_numpy takes without a copy.
scale: of an int8 `out` alone: integer = value / scale, rounded and saturated; None is 1

Raises TruncatedError, CorruptError, UnsupportedError, ModelMismatchError, LimitExceededError, InvalidArgumentError (out,
scale), TypeError (frame is not bytes-like, out not an array). `out` is untouched on error.)";

constexpr char kDecodeBatchDoc[] =
    R"(Restore many frames of one shape, of any qualities, with one pass of the synthesis.

frames: iterable of bytes-like objects; frame i, a batch of n samples, fills out[i * n : (i + 1) * n]
out, scale: as for decode, of shape (len(frames) * n, ...). None: a new NumPy array of float32, of the shape of the first frame
    whose header can be read (of model.feature_shape when there is none), held to limits.max_tensor_elements.
errors: "raise": the first unsound frame fails the call with a message that starts "frame 3:", `out` untouched.
    "return": the result is a pair of the array and a list with None for each sound frame and the exception (not raised)
    of each unsound one, whose part of the array is zero.

Raises as decode does; InvalidArgumentError for no frames and another `errors`.)";

class PyDecoder {
 public:
  PyDecoder(const PyModel& model, int threads, const std::optional<Limits>& limits)
      : model_(model), limits_(limits.value_or(Limits())), decoder_(Decoder(model.model, {limits_, threads})) {}

  const PyModel& model() const { return model_; }

  py::tuple ShapeOf(const py::object& frame) {
    const ByteView bytes(frame);
    return ToTuple(ValueOrRaise(HeaderShape(bytes.span())));
  }

  py::object Decode(const py::object& frame, py::object out, std::optional<double> scale) {
    const ByteView bytes(frame);
    if (out.is_none()) out = NewArray(ValueOrRaise(HeaderShape(bytes.span())));
    const ArrayView view("out", out, scale, ArrayView::Access::kWrite);
    RaiseIfError(decoder_.Run([&](Decoder& decoder) { return decoder.Decode(bytes.span(), view.dst()); }));
    return out;
  }

  py::object DecodeBatch(const py::iterable& frames, py::object out, std::optional<double> scale,
                         const std::string& errors) {
    const bool returns_errors = errors == "return";
    if (!returns_errors && errors != "raise") {
      Raise(StatusCode::kInvalidArgument, "errors: wanted 'raise' or 'return', got '" + errors + "'");
    }
    std::deque<ByteView> held;  // a deque, for they do not move
    std::vector<FrameView> views;
    for (const py::handle frame : frames) views.push_back(held.emplace_back(frame).span());
    if (out.is_none()) out = NewArray(BatchShape(views, returns_errors));
    const ArrayView view("out", out, scale, ArrayView::Access::kWrite);
    std::vector<Status> statuses(returns_errors ? views.size() : 0);
    RaiseIfError(decoder_.Run([&](Decoder& decoder) { return decoder.DecodeBatch(views, view.dst(), statuses); }));
    if (!returns_errors) return out;
    py::list list;
    for (const Status& status : statuses) {
      list.append(status.ok() ? py::object(py::none()) : MakeError(status.code(), status.message()));
    }
    return py::make_tuple(out, list);
  }

 private:
  static py::object NewArray(const Shape& shape) {
    return py::array_t<float>(std::vector<py::ssize_t>(shape.begin(), shape.end()));
  }

  Result<Shape> HeaderShape(FrameView frame) {
    return decoder_.Run([&](Decoder& decoder) { return decoder.ShapeOf(frame); });
  }

  // Of the array that holds all frames. An unsound frame is an error unless `skip_unsound`.
  Shape BatchShape(const std::vector<FrameView>& frames, bool skip_unsound) {
    if (frames.empty()) Raise(StatusCode::kInvalidArgument, "decode batch: no frames");
    Shape shape = WithBatch(1, model_.model->feature_shape());
    for (const FrameView frame : frames) {
      const Result<Shape> header = HeaderShape(frame);
      if (header.ok()) {
        shape = *header;
        break;
      }
      if (!skip_unsound) Raise(header.status().code(), "frame 0: " + header.status().message());
    }
    // One frame's claim, multiplied by the number of frames, is allocated at once: a tensor like any other.
    shape[0] *= static_cast<int64_t>(frames.size());
    if (const int64_t elements = NumElements(shape); elements < 0 || elements > limits_.max_tensor_elements) {
      Raise(StatusCode::kLimitExceeded, "decode batch: shape " + ToString(shape) + " has more than " +
                                            std::to_string(limits_.max_tensor_elements) +
                                            " elements; decode fewer frames");
    }
    return shape;
  }

  PyModel model_;
  Limits limits_;
  Guarded<Decoder> decoder_;
};

}  // namespace

void BindDecoder(py::module_& module) {
  py::class_<PyDecoder>(module, "Decoder", kClassDoc)
      .def(py::init<const PyModel&, int, const std::optional<Limits>&>(), py::arg("model"), py::arg("threads") = 1,
           py::kw_only(), py::arg("limits") = py::none())
      .def_property_readonly("model", &PyDecoder::model, "The model it was made with.")
      .def(
          "shape_of", &PyDecoder::ShapeOf, py::arg("frame"),
          R"(Shape of the feature tensor that a frame holds, batch first, read from its header and held to the limits.

Raises as decode does.)")
      .def("decode", &PyDecoder::Decode, py::arg("frame"), py::kw_only(), py::arg("out") = py::none(),
           py::arg("scale") = py::none(), kDecodeDoc)
      .def("decode_batch", &PyDecoder::DecodeBatch, py::arg("frames"), py::kw_only(), py::arg("out") = py::none(),
           py::arg("scale") = py::none(), py::arg("errors") = "raise", kDecodeBatchDoc);
}

}  // namespace strait::python
