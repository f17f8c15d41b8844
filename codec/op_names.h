// The names of ops in the manifest, which values an op reads, and the shape of each.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "codec/model_spec.h"

namespace strait {

// Frozen: docs/format.md, op list.
std::string_view OpName(OpKind kind);
std::optional<OpKind> OpKindOf(std::string_view name);

// Whether an op holds a weight.
inline bool HasWeights(OpKind kind) {
  return kind == OpKind::kConv2d || kind == OpKind::kConvTranspose2d || kind == OpKind::kLinear;
}

// The values ops[index] reads, with the default (the previous value) written out.
std::vector<int> SourcesOf(const Op& op, size_t index);

// Shapes of all values of a transform: the input, then one for each op. Errors as InferShape.
Result<std::vector<Shape>> InferShapes(const Transform& transform, const Shape& src, const Limits& limits);

}  // namespace strait
