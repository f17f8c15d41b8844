// Arrays that come through the buffer protocol.
#include <bit>
#include <string>
#include <string_view>

#include "bindings/python/array_view.h"
#include "bindings/python/errors.h"

namespace strait::python {
namespace {

// Of a format string of the struct module: one type character after an optional byte order.
std::optional<DType> DTypeOfFormat(std::string_view format) {
  constexpr bool kLittle = std::endian::native == std::endian::little;
  if (format.starts_with('@') || format.starts_with('=') || format.starts_with(kLittle ? '<' : '>'))
    format.remove_prefix(1);
  if (format == "f") return DType::kFloat32;
  if (format == "e") return DType::kFloat16;
  if (format == "b") return DType::kInt8;
  return std::nullopt;
}

}  // namespace

void ArrayView::ReadBuffer() {
  const std::string format = buffer_->format == nullptr ? "B" : buffer_->format;
  const std::optional<DType> dtype = DTypeOfFormat(format);
  if (!dtype) {
    Raise(StatusCode::kUnsupported, std::string(name_) + ": elements of format '" + format +
                                        "' are not supported; wanted float32 'f', float16 'e' or int8 'b' in this "
                                        "machine's byte order, or bfloat16 through DLPack");
  }
  CheckRank(buffer_->ndim);
  view_.data = buffer_->buf;
  view_.dtype = *dtype;
  for (int i = 0; i < buffer_->ndim; ++i) {
    // A stride that cuts elements in two is no stride of elements.
    if (buffer_->strides[i] % buffer_->itemsize != 0) {
      Raise(StatusCode::kUnsupported, std::string(name_) + ": a stride of " + std::to_string(buffer_->strides[i]) +
                                          " bytes is no multiple of an element; make a contiguous copy");
    }
    view_.shape.push_back(buffer_->shape[i]);
    view_.strides.push_back(buffer_->strides[i] / buffer_->itemsize);
  }
}

}  // namespace strait::python
