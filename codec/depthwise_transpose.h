// Depthwise transposed convolution on plain planes.
// oneDNN 2.6 (jit_dw:avx512_core) takes 0.57 ms for {64, 8, 8} to {64, 16, 16} at stride 2, nearly all of a decode:
// DNNL_VERBOSE=1 strait-bench --benchmark_filter=Codec/Decode/64x16x16 with this path off.
#pragma once

#include <span>
#include <vector>

#include "codec/model_spec.h"

namespace strait {

// Whether the op is a conv_transpose2d with one input and one output channel a group.
bool IsDepthwiseTranspose(const Op& op);

// src {N, C, H, W} to dst, both plain and of the shapes InferShape gives; values below zero are multiplied by
// `slope` (1 leaves them). `scratch` is resized as needed.
void DepthwiseTranspose(const Op& op, const float* src, const Shape& src_shape, float* dst, const Shape& dst_shape,
                        float slope, std::vector<float>& scratch);

}  // namespace strait
