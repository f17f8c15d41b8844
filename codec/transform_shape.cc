#include <algorithm>
#include <cmath>
#include <string>

#include "codec/model_spec.h"
#include "codec/op_names.h"
#include "entropy/error.h"

namespace strait {
namespace {

// Generous for any sane unit; they keep every size computed below far from overflow.
constexpr int64_t kMaxKernel = 1024;
constexpr int kMaxStride = 64;
constexpr int kMaxFactor = 64;
constexpr size_t kMaxOps = 1024;

template <typename... Args>
Status OpError(size_t index, const Op& op, const Args&... args) {
  return Error(StatusCode::kCorrupt, "op ", index, " (", OpName(op.kind), "): ", args...);
}

Status CheckData(size_t index, const Op& op, const char* name, const Weights& weights) {
  const int64_t elements = NumElements(weights.shape);
  if (elements < 0 || static_cast<uint64_t>(elements) != weights.data.size()) {
    return OpError(index, op, name, " of shape ", ToString(weights.shape), " holds ", weights.data.size(),
                   " values");
  }
  if (!std::ranges::all_of(weights.data, [](float v) { return std::isfinite(v); })) {
    return OpError(index, op, name, " holds a value that is not finite");
  }
  return Status();
}

Status CheckWeights(size_t index, const Op& op, size_t rank) {
  if (op.weight.shape.size() != rank) {
    return OpError(index, op, "weight needs ", rank, " dimensions, has ", op.weight.shape.size());
  }
  for (const int64_t dim : op.weight.shape) {
    if (dim < 1) return OpError(index, op, "weight has the empty shape ", ToString(op.weight.shape));
  }
  STRAIT_RETURN_IF_ERROR(CheckData(index, op, "weight", op.weight));
  const bool has_bias = !op.bias.shape.empty() || !op.bias.data.empty();
  return has_bias ? CheckData(index, op, "bias", op.bias) : Status();
}

Status CheckBias(size_t index, const Op& op, int64_t dst_channels) {
  if (op.bias.data.empty() && op.bias.shape.empty()) return Status();
  if (op.bias.shape == Shape{dst_channels}) return Status();
  return OpError(index, op, "bias needs shape ", dst_channels, ", has ", ToString(op.bias.shape));
}

// Fields both convolutions share, beyond the weight's rank.
Status CheckWindow(size_t index, const Op& op) {
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t kernel = op.weight.shape[2 + axis];
    if (kernel > kMaxKernel) return OpError(index, op, "kernel of ", kernel, ", at most ", kMaxKernel);
    if (op.stride[axis] < 1 || op.stride[axis] > kMaxStride) {
      return OpError(index, op, "stride ", op.stride[axis], " not in 1..", kMaxStride);
    }
    // More padding than this only adds outputs that see nothing of the input.
    if (op.padding[axis] < 0 || op.padding[axis] >= kernel) {
      return OpError(index, op, "padding ", op.padding[axis], " not in 0..", kernel - 1);
    }
    const int max_output_padding = op.kind == OpKind::kConvTranspose2d ? op.stride[axis] - 1 : 0;
    if (op.output_padding[axis] < 0 || op.output_padding[axis] > max_output_padding) {
      return OpError(index, op, "output padding ", op.output_padding[axis], " not in 0..", max_output_padding);
    }
  }
  return Status();
}

Status CheckRank(size_t index, const Op& op, const Shape& src, size_t rank) {
  if (src.size() == rank) return Status();
  return OpError(index, op, "needs an input of ", rank, " dimensions, gets ", ToString(src));
}

Result<Shape> ConvShape(size_t index, const Op& op, const Shape& src) {
  const bool transposed = op.kind == OpKind::kConvTranspose2d;
  STRAIT_RETURN_IF_ERROR(CheckRank(index, op, src, 4));
  STRAIT_RETURN_IF_ERROR(CheckWeights(index, op, 4));
  STRAIT_RETURN_IF_ERROR(CheckWindow(index, op));
  if (op.groups < 1) return OpError(index, op, "groups is ", op.groups);
  // Weight is {out, in / groups, ...} or, transposed, {in, out / groups, ...}.
  const int64_t whole = op.weight.shape[0];
  const int64_t part = op.weight.shape[1];
  if (whole % op.groups != 0)
    return OpError(index, op, whole, " channels do not divide into ", op.groups, " groups");
  const int64_t src_channels = transposed ? whole : part * op.groups;
  const int64_t dst_channels = transposed ? part * op.groups : whole;
  if (src[1] != src_channels)
    return OpError(index, op, "weight wants ", src_channels, " channels, gets ", ToString(src));
  STRAIT_RETURN_IF_ERROR(CheckBias(index, op, dst_channels));
  Shape dst{src[0], dst_channels, 0, 0};
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t size = src[2 + axis], kernel = op.weight.shape[2 + axis], padding = 2 * int64_t{op.padding[axis]};
    if (transposed) {
      dst[2 + axis] = (size - 1) * op.stride[axis] - padding + kernel + op.output_padding[axis];
    } else {
      if (size + padding < kernel)
        return OpError(index, op, "kernel of ", kernel, " is larger than the input ", ToString(src));
      dst[2 + axis] = (size + padding - kernel) / op.stride[axis] + 1;
    }
  }
  return dst;
}

Result<Shape> LinearShape(size_t index, const Op& op, const Shape& src) {
  STRAIT_RETURN_IF_ERROR(CheckRank(index, op, src, 3));
  STRAIT_RETURN_IF_ERROR(CheckWeights(index, op, 2));
  if (src.back() != op.weight.shape[1]) {
    return OpError(index, op, "weight wants ", op.weight.shape[1], " channels, gets ", ToString(src));
  }
  STRAIT_RETURN_IF_ERROR(CheckBias(index, op, op.weight.shape[0]));
  return Shape{src[0], src[1], op.weight.shape[0]};
}

Result<Shape> PixelShuffleShape(size_t index, const Op& op, const Shape& src) {
  STRAIT_RETURN_IF_ERROR(CheckRank(index, op, src, 4));
  const int64_t r = op.factor;
  if (r < 1 || r > kMaxFactor) return OpError(index, op, "factor ", r, " not in 1..", kMaxFactor);
  if (src[1] % (r * r) != 0) return OpError(index, op, src[1], " channels do not divide by ", r * r);
  return Shape{src[0], src[1] / (r * r), src[2] * r, src[3] * r};
}

Result<Shape> OpShape(size_t index, const Op& op, const std::vector<Shape>& values) {
  const std::vector<int> sources = SourcesOf(op, index);
  const size_t want_sources = op.kind == OpKind::kAdd ? 2 : 1;
  if (sources.size() != want_sources)
    return OpError(index, op, "reads ", want_sources, " values, names ", sources.size());
  for (const int source : sources) {
    if (source < 0 || static_cast<size_t>(source) > index)
      return OpError(index, op, "reads value ", source, " before it is made");
  }
  if (!HasWeights(op.kind) && !(op.weight.data.empty() && op.bias.data.empty()))
    return OpError(index, op, "takes no weights");
  const Shape& src = values[sources[0]];
  switch (op.kind) {
    case OpKind::kConv2d:
    case OpKind::kConvTranspose2d:
      return ConvShape(index, op, src);
    case OpKind::kLinear:
      return LinearShape(index, op, src);
    case OpKind::kRelu:
      return src;
    case OpKind::kLeakyRelu:
      if (!std::isfinite(op.slope)) return OpError(index, op, "slope is not finite");
      return src;
    case OpKind::kPixelShuffle:
      return PixelShuffleShape(index, op, src);
    case OpKind::kAdd:
      if (src != values[sources[1]]) {
        return OpError(index, op, "adds ", ToString(src), " to ", ToString(values[sources[1]]));
      }
      return src;
  }
  return Error(StatusCode::kUnsupported, "op ", index, ": kind ", static_cast<int>(op.kind), " is unknown");
}

Status CheckSize(const char* what, const Shape& shape, const Limits& limits) {
  for (const int64_t dim : shape) {
    if (dim < 1) return Error(StatusCode::kCorrupt, what, ": shape ", ToString(shape), " is empty");
  }
  const int64_t elements = NumElements(shape);
  if (elements < 0 || elements > limits.max_tensor_elements) {
    return Error(StatusCode::kLimitExceeded, what, ": shape ", ToString(shape), " has more than ",
                 limits.max_tensor_elements, " elements");
  }
  return Status();
}

}  // namespace

Result<std::vector<Shape>> InferShapes(const Transform& transform, const Shape& src, const Limits& limits) {
  if (transform.size() > kMaxOps) {
    return Error(StatusCode::kLimitExceeded, "transform has ", transform.size(), " ops, at most ", kMaxOps);
  }
  STRAIT_RETURN_IF_ERROR(CheckSize("transform input", src, limits));
  std::vector<Shape> values{src};
  int64_t total = NumElements(src);
  for (size_t i = 0; i < transform.size(); ++i) {
    STRAIT_ASSIGN_OR_RETURN(Shape dst, OpShape(i, transform[i], values));
    const std::string where = "op " + std::to_string(i);
    STRAIT_RETURN_IF_ERROR(CheckSize(where.c_str(), dst, limits));
    const int64_t elements = NumElements(dst);
    if (elements > limits.max_transform_elements - total) {
      return Error(StatusCode::kLimitExceeded, where, ": the transform's values up to here have more than ",
                   limits.max_transform_elements, " elements together");
    }
    total += elements;
    values.push_back(std::move(dst));
  }
  return values;
}

std::vector<int> SourcesOf(const Op& op, size_t index) {
  return op.src.empty() ? std::vector<int>{static_cast<int>(index)} : op.src;
}

Result<Shape> InferShape(const Transform& transform, const Shape& src, const Limits& limits) {
  STRAIT_ASSIGN_OR_RETURN(std::vector<Shape> values, InferShapes(transform, src, limits));
  return std::move(values.back());
}

int64_t CountMacs(const Transform& transform, const Shape& src) {
  const Result<std::vector<Shape>> values = InferShapes(transform, src, Limits{INT64_MAX, INT64_MAX, INT64_MAX});
  if (!values.ok()) return 0;
  int64_t macs = 0;
  for (size_t i = 0; i < transform.size(); ++i) {
    const Op& op = transform[i];
    const Shape& from = (*values)[SourcesOf(op, i)[0]];
    const Shape& to = (*values)[i + 1];
    if (op.kind == OpKind::kConv2d) macs += NumElements(to) * NumElements(op.weight.shape) / op.weight.shape[0];
    if (op.kind == OpKind::kConvTranspose2d)
      macs += NumElements(from) * NumElements(op.weight.shape) / op.weight.shape[0];
    if (op.kind == OpKind::kLinear) macs += NumElements(to) * op.weight.shape[1];
  }
  return macs;
}

int64_t CountParams(const Transform& transform) {
  int64_t params = 0;
  for (const Op& op : transform) params += static_cast<int64_t>(op.weight.data.size() + op.bias.data.size());
  return params;
}

}  // namespace strait
