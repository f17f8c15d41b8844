#include "codec/tensor_io.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "codec/kernels/kernels.h"
#include "entropy/error.h"

namespace strait {
namespace {

// IEEE 754 binary16 bits to float32, exact.
float FromFloat16(uint16_t bits) {
  const uint32_t sign = uint32_t{bits & 0x8000u} << 16;
  const uint32_t exponent = (bits >> 10) & 0x1f, mantissa = bits & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
  return sign != 0 ? -magnitude : magnitude;
}

// Nearest even; what is too large becomes infinite.
uint16_t ToFloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;  // 65520 and above
  if (magnitude < 0x38800000) {                       // below 2^-14: adding 0.5 leaves multiples of 2^-24
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000));
  }
  const uint32_t rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
  return static_cast<uint16_t>(sign | ((rounded >> 13) - (112 << 10)));
}

uint16_t ToBfloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

int8_t ToInt8(float value, float scale) {
  const float scaled = std::nearbyint(value / scale);
  return static_cast<int8_t>(std::fmax(-128.0f, std::fmin(scaled, 127.0f)));
}

// An accessor of each type: the element at an index as float32, and storing one.
struct Float32 {
  using Element = float;
  static float Get(float element, float) { return element; }
  static float Put(float value, float) { return value; }
};
struct Float16 {
  using Element = uint16_t;
  static float Get(uint16_t element, float) { return FromFloat16(element); }
  static uint16_t Put(float value, float) { return ToFloat16(value); }
};
struct Bfloat16 {
  using Element = uint16_t;
  static float Get(uint16_t element, float) { return std::bit_cast<float>(uint32_t{element} << 16); }
  static uint16_t Put(float value, float) { return ToBfloat16(value); }
};
struct Int8 {
  using Element = int8_t;
  static float Get(int8_t element, float scale) { return static_cast<float>(element) * scale; }
  static int8_t Put(float value, float scale) { return ToInt8(value, scale); }
};

template <typename Body>
auto ForType(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::kFloat16:
      return body(Float16());
    case DType::kBfloat16:
      return body(Bfloat16());
    case DType::kInt8:
      return body(Int8());
    default:
      return body(Float32());
  }
}

// Whether `strides` are those of dimensions laid out in the order `order`, innermost last. What a dimension of size
// 1 says does not matter.
bool IsLaidOut(const Shape& shape, const Shape& strides, std::initializer_list<size_t> order) {
  int64_t expected = 1;
  for (auto axis = std::rbegin(order); axis != std::rend(order); ++axis) {
    if (shape[*axis] != 1 && strides[*axis] != expected) return false;
    expected *= shape[*axis];
  }
  return true;
}

template <typename View>
Result<SampleLayout> LayoutOfView(const View& view) {
  const Shape& shape = view.shape;
  if (view.data == nullptr) return Error(StatusCode::kInvalidArgument, "tensor: has no data");
  if (view.dtype < DType::kFloat32 || view.dtype > DType::kInt8) {
    return Error(StatusCode::kInvalidArgument, "tensor: dtype ", static_cast<int>(view.dtype), " is not known");
  }
  if (view.dtype == DType::kInt8 && !(view.scale > 0 && std::isfinite(view.scale * 128))) {
    return Error(StatusCode::kInvalidArgument, "tensor: scale ", view.scale,
                 " of int8 must be positive, and finite times 128");
  }
  if (shape.size() != 3 && shape.size() != 4) {
    return Error(StatusCode::kInvalidArgument, "tensor: shape ", ToString(shape), " is neither NxCxHxW nor NxTxC");
  }
  if (NumElements(shape) < 0 || std::ranges::any_of(shape, [](int64_t dim) { return dim < 1; })) {
    return Error(StatusCode::kInvalidArgument, "tensor: shape ", ToString(shape),
                 " has a dimension below 1 or overflows");
  }
  const bool tokens = shape.size() == 3;
  SampleLayout layout;
  layout.channels = tokens ? shape[2] : shape[1];
  layout.rows = tokens ? 1 : shape[2];
  layout.cols = tokens ? shape[1] : shape[3];
  layout.sample_stride = layout.channels * layout.rows * layout.cols;
  const bool has_strides = !view.strides.empty();
  if (has_strides && view.strides.size() != shape.size()) {
    return Error(StatusCode::kInvalidArgument, "tensor: ", view.strides.size(), " strides for shape ",
                 ToString(shape));
  }
  const bool contiguous = !has_strides || (tokens ? IsLaidOut(shape, view.strides, {0, 1, 2})
                                                  : IsLaidOut(shape, view.strides, {0, 1, 2, 3}));
  if (!contiguous && (tokens || !IsLaidOut(shape, view.strides, {0, 2, 3, 1}))) {
    return Error(StatusCode::kUnsupported, "tensor: strides ", ToString(view.strides), " of shape ",
                 ToString(shape), " are neither contiguous nor channels-last; make a contiguous copy");
  }
  if (tokens || !contiguous) {
    layout.channel_stride = 1;
    layout.col_stride = layout.channels;
    layout.row_stride = layout.cols * layout.channels;
  } else {
    layout.col_stride = 1;
    layout.row_stride = layout.cols;
    layout.channel_stride = layout.rows * layout.cols;
  }
  return layout;
}

}  // namespace

const char* DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "float32";
    case DType::kFloat16:
      return "float16";
    case DType::kBfloat16:
      return "bfloat16";
    case DType::kInt8:
      return "int8";
  }
  return "unknown";
}

size_t ElementBytes(DType dtype) {
  return ForType(dtype, [](auto type) { return sizeof(typename decltype(type)::Element); });
}

Result<SampleLayout> LayoutOf(const TensorView& view) { return LayoutOfView(view); }
Result<SampleLayout> LayoutOf(const MutableTensorView& view) { return LayoutOfView(view); }

Status CheckFinite(const TensorView& src, const SampleLayout& layout, int64_t n) {
  return ForType(src.dtype, [&](auto type) -> Status {
    using Type = decltype(type);
    const auto* elements = static_cast<const typename Type::Element*>(src.data) + n * layout.sample_stride;
    if constexpr (std::is_same_v<Type, Int8>) return Status();
    if constexpr (std::is_same_v<Type, Float32>) {
      if (KernelsOf(DefaultSimd()).all_finite(elements, layout.sample_stride)) return Status();
    }
    for (int64_t c = 0, index = n * layout.sample_stride; c < layout.channels; ++c) {
      for (int64_t y = 0; y < layout.rows; ++y) {
        for (int64_t x = 0; x < layout.cols; ++x, ++index) {
          const float value = Type::Get(
              elements[c * layout.channel_stride + y * layout.row_stride + x * layout.col_stride], src.scale);
          if (std::isfinite(value)) continue;
          return Error(StatusCode::kInvalidArgument, "tensor: element ", index, " is ", value,
                       "; only finite values can be encoded");
        }
      }
    }
    return Status();
  });
}

// Rows outside, channels inside: a row of all channels stays in the cache, whichever of the two lies together.
void ReadSample(const TensorView& src, const SampleLayout& layout, int64_t n, int64_t rows, int64_t cols,
                float* dst) {
  ForType(src.dtype, [&](auto type) {
    using Type = decltype(type);
    const auto* sample = static_cast<const typename Type::Element*>(src.data) + n * layout.sample_stride;
    for (int64_t y = 0; y < rows; ++y) {
      for (int64_t c = 0; c < layout.channels; ++c) {
        const auto* from = sample + c * layout.channel_stride + std::min(y, layout.rows - 1) * layout.row_stride;
        float* const to = dst + (c * rows + y) * cols;
        for (int64_t x = 0; x < layout.cols; ++x) to[x] = Type::Get(from[x * layout.col_stride], src.scale);
        std::fill(to + layout.cols, to + cols, to[layout.cols - 1]);
      }
    }
  });
}

void WriteSample(const float* src, int64_t rows, int64_t cols, const MutableTensorView& dst,
                 const SampleLayout& layout, int64_t n) {
  ForType(dst.dtype, [&](auto type) {
    using Type = decltype(type);
    auto* sample = static_cast<typename Type::Element*>(dst.data) + n * layout.sample_stride;
    for (int64_t y = 0; y < layout.rows; ++y) {
      for (int64_t c = 0; c < layout.channels; ++c) {
        auto* to = sample + c * layout.channel_stride + y * layout.row_stride;
        const float* from = src + (c * rows + y) * cols;
        for (int64_t x = 0; x < layout.cols; ++x) to[x * layout.col_stride] = Type::Put(from[x], dst.scale);
      }
    }
  });
}

void ZeroSample(const MutableTensorView& dst, const SampleLayout& layout, int64_t n) {
  const size_t bytes = static_cast<size_t>(layout.sample_stride) * ElementBytes(dst.dtype);
  std::memset(static_cast<char*>(dst.data) + static_cast<size_t>(n) * bytes, 0, bytes);
}

}  // namespace strait
