#include "codec/npy.h"

#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "entropy/byte_io.h"
#include "entropy/error.h"

namespace strait {
namespace {

// Both the format and this reader are little endian.
static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr size_t kMaxHeaderBytes = 1 << 16;

enum class ElementType { kF16, kF32, kF64, kU8, kI32, kI64 };

size_t ElementBytes(ElementType type) {
  switch (type) {
    case ElementType::kF16:
      return 2;
    case ElementType::kF32:
    case ElementType::kI32:
      return 4;
    case ElementType::kF64:
    case ElementType::kI64:
      return 8;
    case ElementType::kU8:
      return 1;
  }
  return 0;
}

float HalfToFloat(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t exponent = (half >> 10) & 0x1f;
  const uint32_t mantissa = half & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float subnormal = static_cast<float>(mantissa) * 0x1p-24f;
  return sign != 0 ? -subnormal : subnormal;
}

template <typename T>
T Load(const uint8_t* src) {
  T value;
  std::memcpy(&value, src, sizeof(T));
  return value;
}

void ConvertElements(const uint8_t* src, ElementType type, std::vector<float>& dst) {
  if (type == ElementType::kF32) {
    if (!dst.empty()) std::memcpy(dst.data(), src, dst.size() * sizeof(float));
    return;
  }
  for (size_t i = 0; i < dst.size(); ++i) {
    if (type == ElementType::kF16) dst[i] = HalfToFloat(Load<uint16_t>(src + 2 * i));
    if (type == ElementType::kF64) dst[i] = static_cast<float>(Load<double>(src + 8 * i));
    if (type == ElementType::kU8) dst[i] = static_cast<float>(src[i]);
    if (type == ElementType::kI32) dst[i] = static_cast<float>(Load<int32_t>(src + 4 * i));
    if (type == ElementType::kI64) dst[i] = static_cast<float>(Load<int64_t>(src + 8 * i));
  }
}

// Reads the Python dictionary literal of a header, of which NumPy writes exactly one form.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Status Parse() {
    STRAIT_RETURN_IF_ERROR(Expect('{'));
    while (!Accept('}')) {
      STRAIT_ASSIGN_OR_RETURN(const std::string_view key, ParseString());
      STRAIT_RETURN_IF_ERROR(Expect(':'));
      STRAIT_RETURN_IF_ERROR(ParseValue(key));
      if (!Accept(',')) {
        STRAIT_RETURN_IF_ERROR(Expect('}'));
        break;
      }
    }
    SkipSpace();
    if (pos_ != text_.size()) return Bad("has text after the dictionary");
    if (!has_type_ || !has_order_ || !has_shape_) return Bad("lacks one of descr, fortran_order, shape");
    return Status();
  }

  ElementType type() const { return type_; }
  const Shape& shape() const { return shape_; }

 private:
  Status ParseValue(std::string_view key) {
    if (key == "descr" && !has_type_) {
      has_type_ = true;
      return ParseType();
    }
    if (key == "fortran_order" && !has_order_) {
      has_order_ = true;
      return ParseOrder();
    }
    if (key == "shape" && !has_shape_) {
      has_shape_ = true;
      return ParseShape();
    }
    return Bad("has an unknown or repeated key");
  }

  Status ParseType() {
    STRAIT_ASSIGN_OR_RETURN(const std::string_view descr, ParseString());
    if (descr == "<f2") {
      type_ = ElementType::kF16;
    } else if (descr == "<f4") {
      type_ = ElementType::kF32;
    } else if (descr == "<f8") {
      type_ = ElementType::kF64;
    } else if (descr == "|u1" || descr == "<u1") {
      type_ = ElementType::kU8;
    } else if (descr == "<i4") {
      type_ = ElementType::kI32;
    } else if (descr == "<i8") {
      type_ = ElementType::kI64;
    } else {
      return Error(StatusCode::kUnsupported, "npy: element type ", Printable(descr),
                   " is not handled; save as float32, float16, float64, uint8, int32 or int64, little endian");
    }
    return Status();
  }

  Status ParseOrder() {
    SkipSpace();
    if (AcceptWord("False")) return Status();
    if (!AcceptWord("True")) return Bad("has no True or False after fortran_order");
    return Error(StatusCode::kUnsupported,
                 "npy: Fortran order is not handled; save numpy.ascontiguousarray(array)");
  }

  Status ParseShape() {
    STRAIT_RETURN_IF_ERROR(Expect('('));
    while (!Accept(')')) {
      if (shape_.size() == Shape::kMaxRank)
        return Error(StatusCode::kUnsupported, "npy: more than ", Shape::kMaxRank, " dimensions");
      STRAIT_ASSIGN_OR_RETURN(const int64_t dim, ParseNumber());
      shape_.push_back(dim);
      if (!Accept(',')) {
        STRAIT_RETURN_IF_ERROR(Expect(')'));
        break;
      }
    }
    return Status();
  }

  Result<int64_t> ParseNumber() {
    SkipSpace();
    const size_t first = pos_;
    int64_t value = 0;
    while (pos_ < text_.size() && text_[pos_] >= '0' && text_[pos_] <= '9') {
      if (value > (std::numeric_limits<int64_t>::max() - 9) / 10) return Bad("has a dimension that is too large");
      value = value * 10 + (text_[pos_++] - '0');
    }
    if (pos_ == first) return Bad("has a dimension that is no number");
    return value;
  }

  Result<std::string_view> ParseString() {
    SkipSpace();
    if (pos_ == text_.size() || (text_[pos_] != '\'' && text_[pos_] != '"')) return Bad("lacks a quoted string");
    const size_t end = text_.find(text_[pos_], pos_ + 1);
    if (end == std::string_view::npos) return Bad("has an unended string");
    const std::string_view value = text_.substr(pos_ + 1, end - pos_ - 1);
    pos_ = end + 1;
    return value;
  }

  void SkipSpace() {
    while (pos_ < text_.size() && (text_[pos_] == ' ' || text_[pos_] == '\n' || text_[pos_] == '\t')) ++pos_;
  }
  bool Accept(char c) {
    SkipSpace();
    if (pos_ == text_.size() || text_[pos_] != c) return false;
    ++pos_;
    return true;
  }
  bool AcceptWord(std::string_view word) {
    if (!text_.substr(pos_).starts_with(word)) return false;
    pos_ += word.size();
    return true;
  }
  Status Expect(char c) {
    if (Accept(c)) return Status();
    return Error(StatusCode::kCorrupt, "npy: header wants '", c, "' at byte ", pos_);
  }
  static Status Bad(const char* what) { return Error(StatusCode::kCorrupt, "npy: header ", what); }
  static std::string Printable(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, 16)) out += c >= 32 && c < 127 ? c : '?';
    return out;
  }

  std::string_view text_;
  size_t pos_ = 0;
  bool has_type_ = false, has_order_ = false, has_shape_ = false;
  ElementType type_ = ElementType::kF32;
  Shape shape_;
};

}  // namespace

Result<Tensor> ParseNpy(std::span<const uint8_t> bytes, const Limits& limits) {
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (all.size() < 10) return Error(StatusCode::kTruncated, "npy: need 10 bytes of preamble, have ", all.size());
  if (!all.starts_with(kMagic))
    return Error(StatusCode::kCorrupt, "npy: this is no .npy file (magic bytes differ)");
  const int major = bytes[6];
  if (major < 1 || major > 3) return Error(StatusCode::kUnsupported, "npy: version ", major, " is not handled");
  const size_t preamble_bytes = major == 1 ? 10 : 12;
  if (all.size() < preamble_bytes)
    return Error(StatusCode::kTruncated, "npy: need 12 bytes of preamble, have ", all.size());
  const size_t header_bytes = major == 1 ? Load<uint16_t>(bytes.data() + 8) : Load<uint32_t>(bytes.data() + 8);
  if (header_bytes > kMaxHeaderBytes) {
    return Error(StatusCode::kUnsupported, "npy: header of ", header_bytes, " bytes, at most ", kMaxHeaderBytes);
  }
  if (all.size() - preamble_bytes < header_bytes) {
    return Error(StatusCode::kTruncated, "npy: need ", header_bytes, " bytes of header, have ",
                 all.size() - preamble_bytes);
  }
  HeaderParser header(all.substr(preamble_bytes, header_bytes));
  STRAIT_RETURN_IF_ERROR(header.Parse());

  const int64_t elements = NumElements(header.shape());
  if (elements < 0 || elements > limits.max_tensor_elements) {
    return Error(StatusCode::kLimitExceeded, "npy: array ", ToString(header.shape()), " has more than ",
                 limits.max_tensor_elements, " elements");
  }
  const size_t have = all.size() - preamble_bytes - header_bytes;
  const size_t want = static_cast<size_t>(elements) * ElementBytes(header.type());
  if (have < want) return Error(StatusCode::kTruncated, "npy: need ", want, " bytes of elements, have ", have);
  if (have > want) return Error(StatusCode::kCorrupt, "npy: ", have - want, " bytes after the last element");
  Tensor tensor{header.shape(), std::vector<float>(static_cast<size_t>(elements))};
  ConvertElements(bytes.data() + preamble_bytes + header_bytes, header.type(), tensor.data);
  return tensor;
}

std::vector<uint8_t> SerializeNpy(const TensorView& tensor) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    if (i > 0) header.append(", ");
    header.append(std::to_string(tensor.shape[i]));
  }
  if (tensor.shape.size() == 1) header.push_back(',');
  header += "), }";
  // NumPy aligns the elements to 64 bytes so that they can be mapped into memory.
  constexpr size_t kPreambleBytes = 10, kAlignment = 64;
  header.append(kAlignment - 1 - (kPreambleBytes + header.size()) % kAlignment, ' ');
  header += '\n';

  std::vector<uint8_t> bytes;
  ByteWriter out(bytes);
  out.WriteBytes({reinterpret_cast<const uint8_t*>(kMagic.data()), kMagic.size()});
  out.WriteU8(1);  // version 1.0
  out.WriteU8(0);
  out.WriteU16(static_cast<uint16_t>(header.size()));
  out.WriteBytes({reinterpret_cast<const uint8_t*>(header.data()), header.size()});
  const size_t data_bytes = static_cast<size_t>(NumElements(tensor.shape)) * sizeof(float);
  const size_t offset = bytes.size();
  bytes.resize(offset + data_bytes);
  if (data_bytes > 0) std::memcpy(bytes.data() + offset, tensor.data, data_bytes);
  return bytes;
}

}  // namespace strait
