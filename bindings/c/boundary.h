// Where C ends and C++ begins: errors as texts in buffers, structs that carry their size, shapes and limits.
// No exception passes Call; nothing here holds state. Thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "strait/strait.h"
#include "strait/strait.hpp"

namespace strait::c {

// A buffer for one error text, the caller's or a handle's.
class ErrorText {
 public:
  ErrorText(char* text, size_t bytes) : text_(text), bytes_(text == nullptr ? 0 : bytes) { Set(""); }

  void Set(std::string_view text) {
    if (bytes_ == 0) return;
    const size_t length = std::min(text.size(), bytes_ - 1);
    std::memcpy(text_, text.data(), length);
    text_[length] = '\0';
  }

 private:
  char* text_;
  size_t bytes_;
};

// Runs `body`, which returns a Status, and gives its code and text; whatever it throws becomes one.
template <typename Body>
strait_status_t Call(ErrorText error, Body&& body) noexcept {
  try {
    const Status status = std::forward<Body>(body)();
    error.Set(status.message());
    return static_cast<strait_status_t>(status.code());
  } catch (const std::bad_alloc&) {
    error.Set("out of memory; lower the limits or give the process more");
    return STRAIT_LIMIT_EXCEEDED;
  } catch (const std::length_error&) {
    error.Set("more elements than memory can hold; lower the limits");
    return STRAIT_LIMIT_EXCEEDED;
  } catch (const std::exception& exception) {
    error.Set(exception.what());
    return STRAIT_INTERNAL;
  } catch (...) {
    error.Set("an exception of unknown type");
    return STRAIT_INTERNAL;
  }
}

Status InvalidArgument(std::initializer_list<std::string_view> parts);

// The error of a pointer that must not be NULL; ok when it is not.
Status CheckGiven(const void* pointer, std::string_view name);

// The bytes of the caller's; NULL is fine for none.
Result<std::span<const uint8_t>> ToBytes(const void* bytes, size_t num_bytes, std::string_view name);

// Whether a struct of `given` bytes may be read or written as one of at least `first_bytes`.
Status CheckStructSize(size_t given, size_t first_bytes, std::string_view name);

// Whether the struct at `src`, of more bytes than `known`, says nothing in the rest.
Status CheckRestIsZero(const void* src, size_t given, size_t known, std::string_view name);

// A struct of the caller's, of whatever version, over the defaults in `dst`. NULL leaves them. `first_bytes` is
// the size it had in the first release.
template <typename Struct>
Status ReadStruct(const Struct* src, size_t first_bytes, std::string_view name, Struct& dst) {
  if (src == nullptr) return Status();
  const size_t given = src->struct_size;
  STRAIT_RETURN_IF_ERROR(CheckStructSize(given, first_bytes, name));
  STRAIT_RETURN_IF_ERROR(CheckRestIsZero(src, given, sizeof(Struct), name));
  std::memcpy(&dst, src, std::min(given, sizeof(Struct)));
  return Status();
}

// `src` into a struct of the caller's, of whatever version.
template <typename Struct>
Status WriteStruct(const Struct& src, size_t first_bytes, std::string_view name, Struct* dst) {
  STRAIT_RETURN_IF_ERROR(CheckGiven(dst, name));
  const size_t given = dst->struct_size;
  STRAIT_RETURN_IF_ERROR(CheckStructSize(given, first_bytes, name));
  std::memset(static_cast<void*>(dst), 0, given);
  std::memcpy(dst, &src, std::min(given, sizeof(Struct)));
  dst->struct_size = given;
  return Status();
}

strait_shape_t FromShape(const Shape& shape);

// Only shapes that have elements, as many as fit an int64_t.
Result<Shape> ToShape(const strait_shape_t& shape);

Result<Limits> ToLimits(int64_t max_model_bytes, int64_t max_tensor_elements, int64_t max_transform_elements);
Result<CoderOptions> ToCoderOptions(const strait_coder_options_t* options);

// A TensorView or MutableTensorView of `data` as `desc` says.
template <typename View, typename Pointer>
Result<View> ToView(const strait_tensor_desc_t* desc, Pointer data, std::string_view name) {
  STRAIT_RETURN_IF_ERROR(CheckGiven(desc, "tensor desc"));
  STRAIT_RETURN_IF_ERROR(CheckGiven(data, name));
  strait_tensor_desc_t known = {};
  STRAIT_RETURN_IF_ERROR(
      ReadStruct(desc, offsetof(strait_tensor_desc_t, scale) + sizeof(float), "tensor desc", known));
  View view;
  view.data = data;
  STRAIT_ASSIGN_OR_RETURN(view.shape, ToShape(known.shape));
  view.dtype = static_cast<DType>(known.dtype);
  const std::span strides(known.strides, known.shape.rank);
  if (std::any_of(strides.begin(), strides.end(), [](int64_t stride) { return stride != 0; }))
    view.strides = Shape(strides.begin(), strides.end());
  view.scale = known.scale;
  return view;
}

}  // namespace strait::c
