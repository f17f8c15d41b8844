#include "codec/depthwise_transpose.h"

#include <algorithm>

namespace strait {
namespace {

// Output column x = j * stride + phase sees input column j + shift through tap kx: a contiguous run for each tap,
// which the compiler vectorises, where the plain loop would store with a stride.
struct Tap {
  int64_t kx, phase, shift;
};

std::vector<Tap> TapsOf(const Op& op) {
  std::vector<Tap> taps;
  const int64_t stride = op.stride[1], padding = op.padding[1];
  for (int64_t kx = 0; kx < op.weight.shape[3]; ++kx) {
    const int64_t phase = ((kx - padding) % stride + stride) % stride;
    taps.push_back({kx, phase, (phase + padding - kx) / stride});
  }
  return taps;
}

void AddRow(const std::vector<Tap>& taps, const float* weights, const float* src, int64_t src_cols, float* rows,
            int64_t row_cols) {
  for (const Tap& tap : taps) {
    const float weight = weights[tap.kx];
    float* row = rows + tap.phase * row_cols;
    const int64_t end = std::min(row_cols, src_cols - tap.shift);
    for (int64_t j = std::max<int64_t>(0, -tap.shift); j < end; ++j) row[j] += weight * src[j + tap.shift];
  }
}

}  // namespace

bool IsDepthwiseTranspose(const Op& op) {
  return op.kind == OpKind::kConvTranspose2d && op.weight.shape[0] == op.groups && op.weight.shape[1] == 1;
}

void DepthwiseTranspose(const Op& op, const float* src, const Shape& src_shape, float* dst, const Shape& dst_shape,
                        float slope, std::vector<float>& scratch) {
  const int64_t channels = src_shape[1], src_rows = src_shape[2], src_cols = src_shape[3];
  const int64_t dst_rows = dst_shape[2], dst_cols = dst_shape[3];
  const int64_t kernel_rows = op.weight.shape[2], kernel_cols = op.weight.shape[3];
  const int64_t stride_rows = op.stride[0], stride_cols = op.stride[1];
  const int64_t row_cols = (dst_cols + stride_cols - 1) / stride_cols;
  const std::vector<Tap> taps = TapsOf(op);
  scratch.resize(static_cast<size_t>(row_cols * stride_cols));
  for (int64_t plane = 0; plane < src_shape[0] * channels; ++plane) {
    const int64_t channel = plane % channels;
    const float bias = op.bias.data.empty() ? 0.0f : op.bias.data[channel];
    for (int64_t y = 0; y < dst_rows; ++y) {
      std::ranges::fill(scratch, bias);
      for (int64_t ky = 0; ky < kernel_rows; ++ky) {
        const int64_t scaled = y + op.padding[0] - ky;
        if (scaled < 0 || scaled % stride_rows != 0 || scaled / stride_rows >= src_rows) continue;
        AddRow(taps, op.weight.data.data() + (channel * kernel_rows + ky) * kernel_cols,
               src + (plane * src_rows + scaled / stride_rows) * src_cols, src_cols, scratch.data(), row_cols);
      }
      float* row = dst + (plane * dst_rows + y) * dst_cols;
      for (int64_t phase = 0; phase < stride_cols; ++phase) {
        const float* values = scratch.data() + phase * row_cols;
        for (int64_t j = 0, x = phase; x < dst_cols; ++j, x += stride_cols) {
          row[x] = values[j] < 0 ? values[j] * slope : values[j];
        }
      }
    }
  }
}

}  // namespace strait
