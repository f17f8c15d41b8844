#include "codec/geometry.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "codec/op_names.h"
#include "entropy/error.h"

namespace strait {
namespace {

constexpr int64_t kMaxSize = int64_t{1} << 40;  // far above any limit, far below an overflow
constexpr int64_t kMaxPadding = 1023;           // rows or columns: docs/format.md

// Size of the transform's output along an axis (0 rows, 1 columns) of feature maps; none when an op cannot take its
// input. The axes of an op do not depend on each other.
std::optional<int64_t> AxisSize(const Transform& transform, int64_t size, int axis) {
  std::vector<int64_t> values{size};
  for (size_t i = 0; i < transform.size(); ++i) {
    const Op& op = transform[i];
    const std::vector<int> sources = SourcesOf(op, i);
    int64_t value = values[sources[0]];
    const int64_t padding = 2 * int64_t{op.padding[axis]};
    if (op.kind == OpKind::kConv2d) {
      const int64_t kernel = op.weight.shape[2 + axis];
      if (value + padding < kernel) return std::nullopt;
      value = (value + padding - kernel) / op.stride[axis] + 1;
    } else if (op.kind == OpKind::kConvTranspose2d) {
      value = (value - 1) * op.stride[axis] - padding + op.weight.shape[2 + axis] + op.output_padding[axis];
    } else if (op.kind == OpKind::kPixelShuffle) {
      value *= op.factor;
    } else if (op.kind == OpKind::kAdd && value != values[sources[1]]) {
      return std::nullopt;
    }
    if (value < 1 || value > kMaxSize) return std::nullopt;
    values.push_back(value);
  }
  return values.back();
}

// The least size of [size, size + kMaxPadding] that synthesis restores from what analysis makes of it.
std::optional<int64_t> RestorableSize(const ModelSpec& spec, int64_t size, int axis) {
  for (int64_t padded = size; padded <= size + kMaxPadding; ++padded) {
    const std::optional<int64_t> latent = AxisSize(spec.analysis, padded, axis);
    if (latent && AxisSize(spec.synthesis, *latent, axis) == padded) return padded;
  }
  return std::nullopt;
}

}  // namespace

Result<SampleGeometry> GeometryOf(const ModelImpl& model, const Shape& feature_shape, const Limits& limits) {
  const ModelSpec& spec = model.spec;
  const size_t rank = spec.feature_shape.size() + 1;
  const size_t channel_axis = rank == 4 ? 1 : 2;
  if (feature_shape.size() != rank || feature_shape[channel_axis] != spec.feature_shape[channel_axis - 1] ||
      std::ranges::any_of(feature_shape, [](int64_t dim) { return dim < 1; })) {
    return Error(StatusCode::kInvalidArgument, "shape ", ToString(feature_shape), ": model ", ModelIdText(model.id),
                 " wants Nx", ToString(spec.feature_shape),
                 rank == 4 ? " with any height and width" : " with any T");
  }
  SampleGeometry geometry;
  geometry.padded = WithoutBatch(feature_shape);
  // Before any arithmetic on sizes that a hostile frame may have set.
  STRAIT_RETURN_IF_ERROR(CheckBatch(geometry, feature_shape[0], limits));
  const auto unsupported = [&] {
    return Error(StatusCode::kUnsupported, "shape ", ToString(feature_shape), ": model ", ModelIdText(model.id),
                 " restores neither this size nor one up to ", kMaxPadding, " larger");
  };
  for (int axis = 0; rank == 4 && axis < 2; ++axis) {
    const std::optional<int64_t> size = RestorableSize(spec, geometry.padded[1 + axis], axis);
    if (!size) return unsupported();
    geometry.padded[1 + axis] = *size;
  }
  STRAIT_ASSIGN_OR_RETURN(const Shape latent, InferShape(spec.analysis, WithBatch(1, geometry.padded), limits));
  STRAIT_ASSIGN_OR_RETURN(const Shape restored, InferShape(spec.synthesis, latent, limits));
  if (WithoutBatch(restored) != geometry.padded) return unsupported();
  geometry.latent = WithoutBatch(latent);
  STRAIT_RETURN_IF_ERROR(CheckBatch(geometry, feature_shape[0], limits));
  return geometry;
}

Status CheckBatch(const SampleGeometry& geometry, int64_t batch, const Limits& limits) {
  for (const Shape* sample : {&geometry.padded, &geometry.latent}) {
    const Shape shape = WithBatch(batch, *sample);
    const int64_t elements = NumElements(shape);
    if (elements < 0 || elements > limits.max_tensor_elements) {
      return Error(StatusCode::kLimitExceeded, "shape ", ToString(shape), " has more than ",
                   limits.max_tensor_elements, " elements");
    }
  }
  return Status();
}

}  // namespace strait
