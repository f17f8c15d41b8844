#include "codec/transform.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <dnnl.hpp>
#include <functional>
#include <new>
#include <optional>
#include <unordered_map>

#include "codec/depthwise_transpose.h"
#include "codec/one_thread.h"
#include "codec/op_names.h"
#include "entropy/error.h"

namespace strait {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Step = std::function<void(dnnl::stream&)>;

constexpr auto kF32 = memory::data_type::f32;

// Tokens {N, T, C} are a matrix of N T rows to oneDNN.
memory::dims DimsOf(const Shape& shape) {
  if (shape.size() == 3) return {shape[0] * shape[1], shape[2]};
  return memory::dims(shape.begin(), shape.end());
}

memory::desc PlainDesc(const Shape& shape) {
  return memory::desc(DimsOf(shape), kF32, shape.size() == 3 ? Tag::nc : Tag::nchw);
}

memory::desc AnyDesc(const Shape& shape) { return memory::desc(DimsOf(shape), kF32, Tag::any); }

void AppendRelu(dnnl::post_ops& ops, float slope) {
  ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, slope, 0.0f);
}

// {N, C r r, H, W} to {N, C, H r, W r}, both plain.
void PixelShuffle(const float* src, float* dst, const Shape& dst_shape, int64_t r) {
  const int64_t planes = dst_shape[0] * dst_shape[1], rows = dst_shape[2] / r, cols = dst_shape[3] / r;
  for (int64_t plane = 0; plane < planes; ++plane) {
    for (int64_t dy = 0; dy < r; ++dy) {
      for (int64_t dx = 0; dx < r; ++dx) {
        for (int64_t y = 0; y < rows; ++y) {
          float* row = dst + ((plane * rows + y) * r + dy) * cols * r + dx;
          for (int64_t x = 0; x < cols; ++x) row[x * r] = *src++;
        }
      }
    }
  }
}

// The ops that run as one primitive with the op that produces their input.
struct Fusion {
  dnnl::post_ops post_ops;
  std::optional<size_t> residual;  // value added to the result
  std::vector<size_t> ops;         // indices of the fused ops, in order
};

// Turns an op list into steps over oneDNN memories. Throws dnnl::error.
class Compiler {
 public:
  Compiler(const Transform& transform, std::vector<Shape> shapes, dnnl::engine& engine, dnnl::stream& stream,
           std::vector<Step>& steps)
      : transform_(transform),
        shapes_(std::move(shapes)),
        engine_(engine),
        stream_(stream),
        steps_(steps),
        values_(shapes_.size()),
        consumers_(shapes_.size()),
        done_(transform.size(), false) {
    for (size_t i = 0; i < transform.size(); ++i) {
      for (const int source : SourcesOf(transform[i], i)) consumers_[source].push_back(i);
    }
  }

  // `input` is plain; returns the memory of the last value, in any layout.
  memory Compile(const memory& input) {
    values_[0] = input;
    for (size_t i = 0; i < transform_.size(); ++i) {
      if (!done_[i]) CompileOp(i);
    }
    return values_.back();
  }

 private:
  void CompileOp(size_t i) {
    const Op& op = transform_[i];
    const std::vector<int> sources = SourcesOf(op, i);
    switch (op.kind) {
      case OpKind::kConvTranspose2d:
        if (IsDepthwiseTranspose(op)) return CompileDepthwiseTranspose(i, sources[0]);
        return CompileWeighted(i, sources[0]);
      case OpKind::kConv2d:
      case OpKind::kLinear:
        return CompileWeighted(i, sources[0]);
      case OpKind::kRelu:
        return CompileRelu(i, values_[sources[0]], 0.0f);
      case OpKind::kLeakyRelu:
        return CompileRelu(i, values_[sources[0]], op.slope);
      case OpKind::kPixelShuffle:
        return CompilePixelShuffle(i, sources[0]);
      case OpKind::kAdd:
        return CompileAdd(i, sources[0], sources[1]);
    }
  }

  // Follows the results of op i as long as each has one reader that can run inside the producer.
  Fusion PlanFusion(size_t i) const {
    Fusion fusion;
    for (size_t value = i + 1; value + 1 < shapes_.size() && consumers_[value].size() == 1;) {
      const size_t next = consumers_[value][0];
      const Op& op = transform_[next];
      if (op.kind == OpKind::kRelu || op.kind == OpKind::kLeakyRelu) {
        AppendRelu(fusion.post_ops, op.kind == OpKind::kRelu ? 0.0f : op.slope);
      } else if (op.kind == OpKind::kAdd && !fusion.residual) {
        const auto other = static_cast<size_t>(op.src[0]) == value ? op.src[1] : op.src[0];
        if (static_cast<size_t>(other) > i) break;  // not there yet when the producer runs
        fusion.residual = static_cast<size_t>(other);
        fusion.post_ops.append_sum();
      } else {
        break;
      }
      fusion.ops.push_back(next);
      value = next + 1;
    }
    return fusion;
  }

  // An activation that alone reads the result runs in the same pass.
  void CompileDepthwiseTranspose(size_t i, size_t source) {
    const Fusion fusion = PlanFusion(i);
    float slope = 1.0f;
    size_t last = i;
    if (!fusion.ops.empty()) {
      const Op& next = transform_[fusion.ops.front()];
      const bool activation = next.kind == OpKind::kRelu || next.kind == OpKind::kLeakyRelu;
      if (activation) {
        slope = next.kind == OpKind::kRelu ? 0.0f : next.slope;
        last = fusion.ops.front();
        done_[last] = true;
      }
    }
    const memory src = InLayout(values_[source], PlainDesc(shapes_[source]));
    const memory dst(PlainDesc(shapes_[i + 1]), engine_);
    steps_.push_back([src, dst, op = transform_[i], src_shape = shapes_[source], dst_shape = shapes_[i + 1], slope,
                      scratch = std::vector<float>()](dnnl::stream& stream) mutable {
      stream.wait();
      DepthwiseTranspose(op, static_cast<const float*>(src.get_data_handle()), src_shape,
                         static_cast<float*>(dst.get_data_handle()), dst_shape, slope, scratch);
    });
    values_[last + 1] = dst;
  }

  void CompileWeighted(size_t i, size_t source) {
    const Fusion fusion = PlanFusion(i);
    if (!fusion.ops.empty()) {
      try {
        return EmitWeighted(i, source, fusion);
      } catch (const dnnl::error& error) {
        // Not every primitive takes every post-op; the ops then run on their own.
        if (error.status != dnnl_unimplemented) throw;
      }
    }
    EmitWeighted(i, source, Fusion{});
  }

  void EmitWeighted(size_t i, size_t source, const Fusion& fusion) {
    dnnl::primitive_attr attr;
    attr.set_post_ops(fusion.post_ops);
    switch (transform_[i].kind) {
      case OpKind::kConv2d:
        return EmitPrimitive(i, source, fusion, ConvolutionDesc(i, source, attr));
      case OpKind::kConvTranspose2d:
        return EmitPrimitive(i, source, fusion, DeconvolutionDesc(i, source, attr));
      default:
        return EmitPrimitive(i, source, fusion, InnerProductDesc(i, source, attr));
    }
  }

  // Weights as oneDNN names their dimensions: {[groups,] out, in, kh, kw} or {out, in}.
  memory::desc WeightDesc(const Op& op, bool any) const {
    const Shape& s = op.weight.shape;
    if (op.kind == OpKind::kLinear) return memory::desc({s[0], s[1]}, kF32, any ? Tag::any : Tag::oi);
    const bool transposed = op.kind == OpKind::kConvTranspose2d;
    const int64_t g = op.groups, out = transposed ? s[1] : s[0] / g, in = transposed ? s[0] / g : s[1];
    if (g == 1)
      return memory::desc({out, in, s[2], s[3]}, kF32, any ? Tag::any : transposed ? Tag::iohw : Tag::oihw);
    return memory::desc({g, out, in, s[2], s[3]}, kF32, any ? Tag::any : transposed ? Tag::giohw : Tag::goihw);
  }

  static memory::desc BiasDesc(const Op& op) {
    return op.bias.data.empty() ? memory::desc() : memory::desc({op.bias.shape[0]}, kF32, Tag::x);
  }

  dnnl::convolution_forward::primitive_desc ConvolutionDesc(size_t i, size_t source,
                                                            const dnnl::primitive_attr& attr) {
    const Op& op = transform_[i];
    const memory::dims stride{op.stride[0], op.stride[1]}, padding{op.padding[0], op.padding[1]};
    // Direct, not auto: Winograd would cost accuracy that the trainer's parity check needs.
    const dnnl::convolution_forward::desc desc(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, AnyDesc(shapes_[source]),
        WeightDesc(op, true), BiasDesc(op), AnyDesc(shapes_[i + 1]), stride, padding, padding);
    return {desc, attr, engine_};
  }

  dnnl::deconvolution_forward::primitive_desc DeconvolutionDesc(size_t i, size_t source,
                                                                const dnnl::primitive_attr& attr) {
    const Op& op = transform_[i];
    const memory::dims stride{op.stride[0], op.stride[1]}, padding{op.padding[0], op.padding[1]};
    const memory::dims padding_end{op.padding[0] - op.output_padding[0], op.padding[1] - op.output_padding[1]};
    const dnnl::deconvolution_forward::desc desc(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct, AnyDesc(shapes_[source]),
        WeightDesc(op, true), BiasDesc(op), AnyDesc(shapes_[i + 1]), stride, padding, padding_end);
    return {desc, attr, engine_};
  }

  dnnl::inner_product_forward::primitive_desc InnerProductDesc(size_t i, size_t source,
                                                               const dnnl::primitive_attr& attr) {
    const Op& op = transform_[i];
    const dnnl::inner_product_forward::desc desc(dnnl::prop_kind::forward_inference, AnyDesc(shapes_[source]),
                                                 WeightDesc(op, true), BiasDesc(op), AnyDesc(shapes_[i + 1]));
    return {desc, attr, engine_};
  }

  template <typename PrimitiveDesc>
  void EmitPrimitive(size_t i, size_t source, const Fusion& fusion, const PrimitiveDesc& desc) {
    const Op& op = transform_[i];
    std::unordered_map<int, memory> args;
    args[DNNL_ARG_SRC] = InLayout(values_[source], desc.src_desc());
    args[DNNL_ARG_WEIGHTS] = Constant(op.weight.data, WeightDesc(op, false), desc.weights_desc());
    if (!op.bias.data.empty()) args[DNNL_ARG_BIAS] = Constant(op.bias.data, BiasDesc(op), desc.bias_desc());
    memory dst(desc.dst_desc(), engine_);
    if (fusion.residual) EmitReorder(values_[*fusion.residual], dst);  // the sum post-op adds to what dst holds
    args[DNNL_ARG_DST] = dst;
    Emit(dnnl::primitive(desc), std::move(args));
    for (const size_t fused : fusion.ops) done_[fused] = true;
    values_[fusion.ops.empty() ? i + 1 : fusion.ops.back() + 1] = dst;
  }

  void CompileRelu(size_t i, const memory& src, float slope) {
    const memory dst(src.get_desc(), engine_);
    const dnnl::eltwise_forward::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::eltwise_relu,
                                           src.get_desc(), slope, 0.0f);
    const dnnl::eltwise_forward::primitive_desc primitive(desc, engine_);
    Emit(dnnl::eltwise_forward(primitive), {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, dst}});
    values_[i + 1] = dst;
  }

  void CompileAdd(size_t i, size_t a, size_t b) {
    const memory::desc layout = values_[a].get_desc();
    const memory other = InLayout(values_[b], layout);
    const memory dst(layout, engine_);
    const dnnl::binary::desc desc(dnnl::algorithm::binary_add, layout, layout, layout);
    const dnnl::binary::primitive_desc primitive(desc, engine_);
    Emit(dnnl::binary(primitive), {{DNNL_ARG_SRC_0, values_[a]}, {DNNL_ARG_SRC_1, other}, {DNNL_ARG_DST, dst}});
    values_[i + 1] = dst;
  }

  void CompilePixelShuffle(size_t i, size_t source) {
    const memory src = InLayout(values_[source], PlainDesc(shapes_[source]));
    const memory dst(PlainDesc(shapes_[i + 1]), engine_);
    steps_.push_back([src, dst, shape = shapes_[i + 1], factor = transform_[i].factor](dnnl::stream& stream) {
      stream.wait();
      PixelShuffle(static_cast<const float*>(src.get_data_handle()), static_cast<float*>(dst.get_data_handle()),
                   shape, factor);
    });
    values_[i + 1] = dst;
  }

  memory Constant(const std::vector<float>& data, const memory::desc& plain, const memory::desc& wanted) {
    memory from(plain, engine_, const_cast<float*>(data.data()));  // oneDNN has no const handles; it only reads
    memory to(wanted, engine_);
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
    return to;
  }

  memory InLayout(const memory& value, const memory::desc& layout) {
    if (value.get_desc() == layout) return value;
    memory reordered(layout, engine_);
    EmitReorder(value, reordered);
    return reordered;
  }

  void EmitReorder(const memory& from, const memory& to) {
    Emit(dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
  }

  void Emit(const dnnl::primitive& primitive, std::unordered_map<int, memory> args) {
    steps_.push_back(
        [primitive, args = std::move(args)](dnnl::stream& stream) { primitive.execute(stream, args); });
  }

  const Transform& transform_;
  std::vector<Shape> shapes_;  // of every value
  dnnl::engine& engine_;
  dnnl::stream& stream_;
  std::vector<Step>& steps_;
  std::vector<memory> values_;
  std::vector<std::vector<size_t>> consumers_;
  std::vector<bool> done_;
};

Status DnnlFailure(const char* doing, const std::exception& error) {
  return Error(StatusCode::kInternal, "transform: oneDNN failed to ", doing, ": ", error.what());
}

}  // namespace

struct CompiledTransform::Impl {
  Shape src_shape, dst_shape;
  int64_t num_elements = 0;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::vector<Step> steps;
  memory input;   // handle set at each run
  memory output;  // plain, handle set at each run
  memory result;  // of the last op
  dnnl::reorder unpack;
  std::vector<float> staged;

  Status Run(const float* src, float* dst);
};

Result<CompiledTransform> CompiledTransform::Compile(const Transform& transform, const Shape& src_shape,
                                                     const Limits& limits) {
  std::vector<Shape> shapes;
  STRAIT_ASSIGN_OR_RETURN(shapes, InferShapes(transform, WithBatch(1, src_shape), limits));
  const OneThread guard;
  try {
    auto impl = std::make_unique<Impl>();
    impl->src_shape = src_shape;
    impl->dst_shape = WithoutBatch(shapes.back());
    for (const Shape& shape : shapes) impl->num_elements += NumElements(shape);
    impl->input = memory(PlainDesc(WithBatch(1, src_shape)), impl->engine, nullptr);
    impl->output = memory(PlainDesc(shapes.back()), impl->engine, nullptr);
    Compiler compiler(transform, std::move(shapes), impl->engine, impl->stream, impl->steps);
    impl->result = compiler.Compile(impl->input);
    impl->unpack = dnnl::reorder(impl->result, impl->output);
    return CompiledTransform(std::move(impl));
  } catch (const std::bad_alloc&) {
    throw;  // the public API answers for memory
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    return DnnlFailure("compile a unit", error);
  } catch (const std::exception& error) {
    return DnnlFailure("compile a unit", error);
  }
}

Status CompiledTransform::Impl::Run(const float* src, float* dst) {
  const OneThread guard;
  try {
    input.set_data_handle(const_cast<float*>(src));  // oneDNN has no const handles; it only reads
    output.set_data_handle(dst);
    for (const Step& step : steps) step(stream);
    unpack.execute(stream, result, output);
    stream.wait();
    return Status();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return DnnlFailure("run a unit", error);
  }
}

Status CompiledTransform::Analyze(const TensorView& src, const SampleLayout& layout, int64_t n, float* dst) {
  const bool tokens = src_shape().size() == 2;
  const int64_t rows = tokens ? 1 : src_shape()[1], cols = tokens ? src_shape()[0] : src_shape()[2];
  impl_->staged.resize(static_cast<size_t>(NumElements(src_shape())));
  if (tokens) {
    const SampleLayout plain{1, 1, layout.sample_stride, 0, 0, 1, layout.sample_stride};
    ReadSample(src, plain, n, 1, layout.sample_stride, impl_->staged.data());
  } else {
    ReadSample(src, layout, n, rows, cols, impl_->staged.data());
  }
  return impl_->Run(impl_->staged.data(), dst);
}

Status CompiledTransform::Synthesize(const float* src, const MutableTensorView& dst, const SampleLayout& layout,
                                     int64_t n) {
  const bool tokens = dst_shape().size() == 2;
  impl_->staged.resize(static_cast<size_t>(NumElements(dst_shape())));
  STRAIT_RETURN_IF_ERROR(impl_->Run(src, impl_->staged.data()));
  if (tokens) {
    const SampleLayout plain{1, 1, layout.sample_stride, 0, 0, 1, layout.sample_stride};
    WriteSample(impl_->staged.data(), 1, layout.sample_stride, dst, plain, n);
  } else {
    WriteSample(impl_->staged.data(), dst_shape()[1], dst_shape()[2], dst, layout, n);
  }
  return Status();
}

CompiledTransform::CompiledTransform(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CompiledTransform::CompiledTransform(CompiledTransform&&) noexcept = default;
CompiledTransform& CompiledTransform::operator=(CompiledTransform&&) noexcept = default;
CompiledTransform::~CompiledTransform() = default;

const Shape& CompiledTransform::src_shape() const { return impl_->src_shape; }
const Shape& CompiledTransform::dst_shape() const { return impl_->dst_shape; }
int64_t CompiledTransform::num_elements() const { return impl_->num_elements; }

}  // namespace strait
