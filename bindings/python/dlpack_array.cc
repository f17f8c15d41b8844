// Arrays that come through DLPack.
#include <string>

#include "bindings/python/array_view.h"
#include "bindings/python/dlpack.h"
#include "bindings/python/errors.h"

namespace strait::python {
namespace {

std::optional<DType> DTypeOf(const dlpack::DataType& type) {
  if (type.lanes != 1) return std::nullopt;
  if (type.code == dlpack::kFloat && type.bits == 32) return DType::kFloat32;
  if (type.code == dlpack::kFloat && type.bits == 16) return DType::kFloat16;
  if (type.code == dlpack::kBfloat && type.bits == 16) return DType::kBfloat16;
  if (type.code == dlpack::kInt && type.bits == 8) return DType::kInt8;
  return std::nullopt;
}

bool IsHostMemory(int64_t device_type) { return device_type == dlpack::kCpu || device_type == dlpack::kCudaHost; }

[[noreturn]] void RaiseDevice(const char* name, int64_t device_type) {
  Raise(StatusCode::kUnsupported,
        std::string(name) + ": lies in the memory of another device (DLPack device type " +
            std::to_string(device_type) + "); move it to the CPU first, as with tensor.cpu()");
}

}  // namespace

void ArrayView::ReadDlpack(py::handle array) {
  // Asked before the export, which on another device may wait for its stream.
  if (py::hasattr(array, "__dlpack_device__")) {
    const auto device_type = py::int_(py::tuple(array.attr("__dlpack_device__")())[0]).cast<int64_t>();
    if (!IsHostMemory(device_type)) RaiseDevice(name_, device_type);
  }
  capsule_ = array.attr("__dlpack__")();
  const auto* managed =
      static_cast<const dlpack::ManagedTensor*>(PyCapsule_GetPointer(capsule_.ptr(), dlpack::kCapsuleName));
  if (managed == nullptr) throw py::error_already_set();
  const dlpack::Tensor& tensor = managed->tensor;
  if (!IsHostMemory(tensor.device.type)) RaiseDevice(name_, tensor.device.type);
  const std::optional<DType> dtype = DTypeOf(tensor.dtype);
  if (!dtype) {
    Raise(StatusCode::kUnsupported, std::string(name_) + ": elements of DLPack type code " +
                                        std::to_string(tensor.dtype.code) + " with " +
                                        std::to_string(tensor.dtype.bits) +
                                        " bits are not supported; wanted float32, float16, bfloat16 or int8");
  }
  CheckRank(tensor.ndim);
  if (tensor.data != nullptr) view_.data = static_cast<char*>(tensor.data) + tensor.byte_offset;
  view_.dtype = *dtype;
  view_.shape = Shape(tensor.shape, tensor.shape + tensor.ndim);
  if (tensor.strides != nullptr) view_.strides = Shape(tensor.strides, tensor.strides + tensor.ndim);
}

}  // namespace strait::python
