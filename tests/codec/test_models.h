// Small units with weights made from integers, so that every machine builds the same ones.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "codec/frame.h"
#include "codec/model_spec.h"
#include "strait/decoder.h"
#include "strait/model.h"

namespace strait::testing {

// Values of [-1, 1] that are exact in float32, different for each seed.
std::vector<float> IntegerValues(size_t count, uint32_t seed);

Tensor IntegerTensor(const Shape& shape, uint32_t seed);

// {4, 6, 6} to {3, 3, 3}: depthwise stride 2 and pointwise, mirrored; 3 levels, 2 table sets a level, tables with
// and without escape.
ModelSpec ConvSpec();

// {5, 6} tokens to {5, 3}; one level.
ModelSpec TokenSpec();

// The same with context: the tables are one that is certain and others with an escape, dealt to cells by
// arithmetic; at odd sets channel 1 is certain.
ModelSpec ContextConvSpec();
ModelSpec ContextTokenSpec();

// The bytes of a frame with this header, sound or not.
std::vector<uint8_t> FrameOf(const FrameHeader& header, std::span<const uint8_t> payload = {});

std::shared_ptr<const Model> ModelOf(const ModelSpec& spec);

Op Conv(const Shape& weight, bool bias, int stride, int padding, int groups, uint32_t seed);
Op ConvTranspose(const Shape& weight, bool bias, int stride, int padding, int output_padding, int groups,
                 uint32_t seed);
Op Linear(const Shape& weight, bool bias, uint32_t seed);
Op Simple(OpKind kind, std::vector<int> src = {});

}  // namespace strait::testing
