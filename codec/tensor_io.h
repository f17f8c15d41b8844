// Feature tensors as callers hold them, to and from the contiguous float32 samples that transforms work on.
#pragma once

#include <cstdint>
#include <span>

#include "strait/result.h"
#include "strait/tensor.h"

namespace strait {

// How the elements of one sample lie in a caller's memory; strides in elements. Tokens {T, C} are one row of T
// columns.
struct SampleLayout {
  int64_t channels = 0, rows = 0, cols = 0;
  int64_t channel_stride = 0, row_stride = 0, col_stride = 0;
  int64_t sample_stride = 0;

  bool is_contiguous() const { return col_stride == 1 && row_stride == cols; }
};

// The layout of a view of a feature tensor, rank 3 or 4. Errors: kInvalidArgument (no data, unknown type, scale or
// rank of the strides), kUnsupported (strides that are neither contiguous nor channels-last).
Result<SampleLayout> LayoutOf(const TensorView& view);
Result<SampleLayout> LayoutOf(const MutableTensorView& view);

// kInvalidArgument, naming the first element of sample `n` that is not finite.
Status CheckFinite(const TensorView& src, const SampleLayout& layout, int64_t n);

// Sample `n` as planes {channels, rows, cols} of float32; what lies beyond the sample repeats its last column and
// row.
void ReadSample(const TensorView& src, const SampleLayout& layout, int64_t n, int64_t rows, int64_t cols,
                float* dst);

// The top left of planes {channels, rows, cols} to sample `n`.
void WriteSample(const float* src, int64_t rows, int64_t cols, const MutableTensorView& dst,
                 const SampleLayout& layout, int64_t n);

void ZeroSample(const MutableTensorView& dst, const SampleLayout& layout, int64_t n);

}  // namespace strait
