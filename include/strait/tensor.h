// Shapes and borrowed views of tensors.
// A view never owns its data: the caller keeps it alive, and unchanged but by the call, for the length of the call.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

namespace strait {

// Dimensions from outermost to innermost; feature maps are {N, C, H, W}, tokens {N, T, C}. Held in place: copying
// one allocates nothing. Throws std::length_error where it would grow beyond kMaxRank.
class Shape {
 public:
  using value_type = int64_t;
  static constexpr size_t kMaxRank = 8;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(dims.begin(), dims.end()) {}
  Shape(const std::vector<int64_t>& dims) : Shape(dims.begin(), dims.end()) {}  // NOLINT: the same in a vector
  template <typename Iterator>
  Shape(Iterator first, Iterator last) {
    for (; first != last; ++first) push_back(static_cast<int64_t>(*first));
  }

  size_t size() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  int64_t* begin() { return dims_.data(); }
  int64_t* end() { return dims_.data() + rank_; }
  const int64_t* begin() const { return dims_.data(); }
  const int64_t* end() const { return dims_.data() + rank_; }
  const int64_t* data() const { return dims_.data(); }
  int64_t& operator[](size_t i) { return dims_[i]; }
  const int64_t& operator[](size_t i) const { return dims_[i]; }
  int64_t& front() { return dims_[0]; }
  const int64_t& front() const { return dims_[0]; }
  int64_t& back() { return dims_[rank_ - 1]; }
  const int64_t& back() const { return dims_[rank_ - 1]; }

  void push_back(int64_t dim) {
    if (rank_ == kMaxRank) throw std::length_error("strait::Shape: more than 8 dimensions");
    dims_[rank_++] = dim;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<int64_t, kMaxRank> dims_ = {};
  size_t rank_ = 0;
};

// {batch, then the dimensions of one sample}.
Shape WithBatch(int64_t batch, const Shape& sample);

// Without the first dimension. Precondition: there is one.
Shape WithoutBatch(const Shape& shape);

// Product of the dimensions; 1 for an empty shape, -1 when a dimension is negative or the product
// does not fit in int64_t (so that a hostile shape can be refused before anything is allocated).
int64_t NumElements(const Shape& shape);

// "64x16x16".
std::string ToString(const Shape& shape);

// Types of elements. Numbers are frozen: they cross the C ABI.
enum class DType : int32_t {
  kFloat32 = 0,
  kFloat16 = 1,   // IEEE 754 binary16
  kBfloat16 = 2,  // the upper half of a float32
  kInt8 = 3,      // value = scale * integer
};

// "float32", "float16", "bfloat16", "int8".
const char* DTypeName(DType dtype);

size_t ElementBytes(DType dtype);

// A tensor to read. Two memory layouts are taken as they are, others are kUnsupported: contiguous (row major, what
// empty strides mean) and, for {N, C, H, W}, channels-last (memory order N, H, W, C).
struct TensorView {
  const void* data = nullptr;
  Shape shape;
  DType dtype = DType::kFloat32;
  Shape strides = {};  // of each dimension, in elements; empty means contiguous
  float scale = 1;     // of kInt8: positive, and finite times 128
};

// A tensor to write, in the same layouts. Values that the type cannot hold are rounded to nearest even; beyond its
// range float16 becomes infinite and int8 saturates.
struct MutableTensorView {
  void* data = nullptr;
  Shape shape;
  DType dtype = DType::kFloat32;
  Shape strides = {};
  float scale = 1;

  operator TensorView() const { return {data, shape, dtype, strides, scale}; }  // NOLINT: as a span of const
};

// A contiguous float32 tensor that owns its elements.
struct Tensor {
  Shape shape;
  std::vector<float> data;

  TensorView view() const { return {data.data(), shape}; }
  MutableTensorView view() { return {data.data(), shape}; }
};

}  // namespace strait
