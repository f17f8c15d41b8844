#include "codec/transform.h"

#include <cstring>

#include "codec/conv_step.h"
#include "codec/op_names.h"
#include "entropy/error.h"

namespace strait {
namespace {

// Of a value with batch: tokens {1, T, C} are one row of T columns.
PlaneShape PlanesOf(const Shape& shape) {
  if (shape.size() == 3) return {shape[2], 1, shape[1]};
  return {shape[1], shape[2], shape[3]};
}

bool IsActivation(const Op& op) { return op.kind == OpKind::kRelu || op.kind == OpKind::kLeakyRelu; }
float SlopeOf(const Op& op) { return op.kind == OpKind::kRelu ? 0.0f : op.slope; }

void Activate(const float* src, int64_t count, float slope, float* dst) {
  for (int64_t i = 0; i < count; ++i) dst[i] = src[i] < 0 ? src[i] * slope : src[i];
}

void Add(const float* a, const float* b, int64_t count, float* dst) {
  for (int64_t i = 0; i < count; ++i) dst[i] = a[i] + b[i];
}

// One plane of {C, H r, W r} from r r planes {H, W}.
void PixelShuffle(const float* src, const PlaneShape& src_shape, int64_t r, float* dst) {
  for (int64_t dy = 0; dy < r; ++dy) {
    for (int64_t dx = 0; dx < r; ++dx) {
      for (int64_t y = 0; y < src_shape.rows; ++y) {
        float* const row = dst + (y * r + dy) * src_shape.cols * r + dx;
        for (int64_t x = 0; x < src_shape.cols; ++x) row[x * r] = *src++;
      }
    }
  }
}

}  // namespace

TransformPlan PlanTransform(const Transform& transform) {
  TransformPlan plan;
  for (const Op& op : transform) {
    if (HasWeights(op.kind)) plan.convs.push_back(PlanConv(op));
    Op& planned = plan.ops.emplace_back();
    planned.kind = op.kind;
    planned.src = op.src;
    planned.slope = op.slope;
    planned.factor = op.factor;
  }
  return plan;
}

struct CompiledTransform::Impl {
  struct Step {
    const Op* op;
    std::unique_ptr<ConvStep> conv;  // of ops with weights
    std::vector<int> src;
    int dst;
  };

  Shape src_shape, dst_shape;
  int64_t num_elements = 0;
  std::vector<PlaneShape> shapes;  // of each value
  std::vector<Step> steps;
  std::vector<std::vector<float>> buffers;  // of the values that have one
  std::vector<float*> values;               // where each value is; the first and the last change with every run
  bool overreads_input = false;
  std::vector<float> input, output;  // for samples that cannot be used where they are

  // Which op reads a value, when only one does.
  static std::vector<int> SoleReaders(const Transform& ops);
  void AddSteps(const TransformPlan& plan, Simd simd, int threads);
  void RunStep(const Step& step, ThreadPool& pool) const;
  // Planes to planes.
  void Run(const float* src, float* dst, ThreadPool& pool);
};

std::vector<int> CompiledTransform::Impl::SoleReaders(const Transform& ops) {
  constexpr int kNone = -1, kMany = -2;
  std::vector<int> readers(ops.size() + 1, kNone);
  for (size_t i = 0; i < ops.size(); ++i) {
    for (const int value : SourcesOf(ops[i], i))
      readers[value] = readers[value] == kNone ? static_cast<int>(i) : kMany;
  }
  return readers;
}

void CompiledTransform::Impl::AddSteps(const TransformPlan& plan, Simd simd, int threads) {
  const std::vector<int> sole_reader = SoleReaders(plan.ops);
  std::vector<bool> fused(plan.ops.size(), false);
  auto conv_plan = plan.convs.begin();
  for (size_t i = 0; i < plan.ops.size(); ++i) {
    if (fused[i]) continue;
    const Op& op = plan.ops[i];
    Step step{&op, nullptr, SourcesOf(op, i), static_cast<int>(i) + 1};
    if (HasWeights(op.kind)) {
      // An activation that alone reads the result runs in the same pass.
      float slope = 1.0f;
      const int reader = sole_reader[i + 1];
      if (reader >= 0 && IsActivation(plan.ops[static_cast<size_t>(reader)])) {
        slope = SlopeOf(plan.ops[static_cast<size_t>(reader)]);
        fused[static_cast<size_t>(reader)] = true;
        step.dst = reader + 1;
      }
      step.conv =
          std::make_unique<ConvStep>(*conv_plan++, shapes[step.src[0]], shapes[i + 1], slope, simd, threads);
      if (step.src[0] == 0 && step.conv->overreads()) overreads_input = true;
    }
    steps.push_back(std::move(step));
  }
}

void CompiledTransform::Impl::RunStep(const Step& step, ThreadPool& pool) const {
  const float* const src = values[step.src[0]];
  float* const dst = values[step.dst];
  const PlaneShape& shape = shapes[step.dst];
  switch (step.op->kind) {
    case OpKind::kConv2d:
    case OpKind::kConvTranspose2d:
    case OpKind::kLinear:
      return step.conv->Run(src, dst, pool);
    case OpKind::kRelu:
    case OpKind::kLeakyRelu:
      return pool.For(shape.channels, [&](int64_t channel, int) {
        Activate(src + channel * shape.size(), shape.size(), SlopeOf(*step.op), dst + channel * shape.size());
      });
    case OpKind::kPixelShuffle: {
      const PlaneShape& from = shapes[step.src[0]];
      const int64_t planes = int64_t{step.op->factor} * step.op->factor;
      return pool.For(shape.channels, [&](int64_t channel, int) {
        PixelShuffle(src + channel * planes * from.size(), from, step.op->factor, dst + channel * shape.size());
      });
    }
    case OpKind::kAdd: {
      const float* const other = values[step.src[1]];
      return pool.For(shape.channels, [&](int64_t channel, int) {
        const int64_t begin = channel * shape.size();
        Add(src + begin, other + begin, shape.size(), dst + begin);
      });
    }
  }
}

void CompiledTransform::Impl::Run(const float* src, float* dst, ThreadPool& pool) {
  if (steps.empty()) {
    std::memcpy(dst, src, static_cast<size_t>(shapes[0].elements()) * sizeof(float));
    return;
  }
  values.front() = const_cast<float*>(src);  // no step writes to it
  values.back() = dst;
  for (const Step& step : steps) RunStep(step, pool);
}

Result<CompiledTransform> CompiledTransform::Compile(const TransformPlan& plan, const std::vector<Shape>& values,
                                                     const Limits& limits, int threads, Simd simd) {
  auto impl = std::make_unique<Impl>();
  impl->src_shape = WithoutBatch(values.front());
  impl->dst_shape = WithoutBatch(values.back());
  for (const Shape& shape : values) {
    impl->shapes.push_back(PlanesOf(shape));
    impl->num_elements += impl->shapes.back().elements();
  }
  auto conv = plan.convs.begin();
  for (size_t i = 0; i < plan.ops.size(); ++i) {
    if (!HasWeights(plan.ops[i].kind)) continue;
    const int source = SourcesOf(plan.ops[i], i)[0];
    impl->num_elements += ConvStep::ScratchElements(*conv++, impl->shapes[source], impl->shapes[i + 1], threads);
    if (impl->num_elements / 2 > limits.max_transform_elements) {
      return Error(StatusCode::kLimitExceeded, "transform of ", ToString(impl->src_shape),
                   ": its buffers have more than twice the ", limits.max_transform_elements,
                   " elements that one transform may make");
    }
  }
  impl->AddSteps(plan, simd, threads);
  impl->values.resize(values.size());
  impl->buffers.resize(values.size());
  for (const Impl::Step& step : impl->steps) {
    const auto value = static_cast<size_t>(step.dst);
    if (value + 1 == values.size()) continue;
    impl->buffers[value].resize(static_cast<size_t>(impl->shapes[value].elements() + kOverread));
    impl->values[value] = impl->buffers[value].data();
  }
  return CompiledTransform(std::move(impl));
}

void CompiledTransform::Analyze(const TensorView& src, const SampleLayout& layout, int64_t n, float* dst,
                                ThreadPool& pool) {
  const PlaneShape& from = impl_->shapes.front();
  const bool in_place = src.dtype == DType::kFloat32 && layout.is_contiguous() && layout.rows == from.rows &&
                        layout.cols == from.cols && !impl_->overreads_input;
  const float* input = static_cast<const float*>(src.data) + n * layout.sample_stride;
  if (!in_place) {
    impl_->input.resize(static_cast<size_t>(from.elements() + kOverread));
    ReadSample(src, layout, n, from.rows, from.cols, impl_->input.data());
    input = impl_->input.data();
  }
  if (impl_->dst_shape.size() == 3) return impl_->Run(input, dst, pool);
  const PlaneShape& to = impl_->shapes.back();
  impl_->output.resize(static_cast<size_t>(to.elements()));
  impl_->Run(input, impl_->output.data(), pool);
  const MutableTensorView tokens{dst, WithBatch(1, impl_->dst_shape)};
  WriteSample(impl_->output.data(), to.rows, to.cols, tokens, LayoutOf(tokens).value(), 0);
}

void CompiledTransform::Synthesize(const float* src, const MutableTensorView& dst, const SampleLayout& layout,
                                   int64_t n, ThreadPool& pool) {
  const PlaneShape& from = impl_->shapes.front();
  const PlaneShape& to = impl_->shapes.back();
  if (impl_->src_shape.size() == 2) {
    impl_->input.resize(static_cast<size_t>(from.elements() + kOverread));
    const TensorView tokens{src, WithBatch(1, impl_->src_shape)};
    ReadSample(tokens, LayoutOf(tokens).value(), 0, from.rows, from.cols, impl_->input.data());
    src = impl_->input.data();
  }
  if (dst.dtype == DType::kFloat32 && layout.is_contiguous() && layout.rows == to.rows && layout.cols == to.cols)
    return impl_->Run(src, static_cast<float*>(dst.data) + n * layout.sample_stride, pool);
  impl_->output.resize(static_cast<size_t>(to.elements()));
  impl_->Run(src, impl_->output.data(), pool);
  WriteSample(impl_->output.data(), to.rows, to.cols, dst, layout, n);
}

CompiledTransform::CompiledTransform(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CompiledTransform::CompiledTransform(CompiledTransform&&) noexcept = default;
CompiledTransform& CompiledTransform::operator=(CompiledTransform&&) noexcept = default;
CompiledTransform::~CompiledTransform() = default;

const Shape& CompiledTransform::dst_shape() const { return impl_->dst_shape; }
int64_t CompiledTransform::num_elements() const { return impl_->num_elements; }

}  // namespace strait
