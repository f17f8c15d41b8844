// Runs an op list on one sample after another, compiled for one sample shape.
// The same input gives the same bits on every CPU, for any number of threads (codec/kernels/kernels.h).
#pragma once

#include <memory>
#include <vector>

#include "codec/conv_plan.h"
#include "codec/model_spec.h"
#include "codec/tensor_io.h"
#include "codec/thread_pool.h"
#include "entropy/simd.h"

namespace strait {

// What is prepared of a transform once for a model: shared by all that run it. Immutable.
struct TransformPlan {
  Transform ops;                // without their weights
  std::vector<ConvPlan> convs;  // of the ops that have weights, in order
};

// Precondition: a validated transform.
TransformPlan PlanTransform(const Transform& transform);

// An object serves one thread at a time.
class CompiledTransform {
 public:
  // `values` are the shapes of all values of the plan's transform, as InferShapes gives them, for a batch of one;
  // the plan must outlive the object. Errors: kLimitExceeded when the buffers have more elements than limits allow.
  static Result<CompiledTransform> Compile(const TransformPlan& plan, const std::vector<Shape>& values,
                                           const Limits& limits, int threads = 1, Simd simd = DefaultSimd());

  CompiledTransform(CompiledTransform&&) noexcept;
  CompiledTransform& operator=(CompiledTransform&&) noexcept;
  ~CompiledTransform();

  // Of a sample.
  const Shape& dst_shape() const;
  // Floats of all buffers: what keeping this object costs.
  int64_t num_elements() const;

  // Sample `n` of a feature tensor of at most the shape it was compiled for (the rest is padded) to a contiguous
  // latent.
  void Analyze(const TensorView& src, const SampleLayout& layout, int64_t n, float* dst, ThreadPool& pool);
  // A contiguous latent, behind which kOverread floats can be read, to sample `n` of a feature tensor of at most
  // dst_shape (the rest is cropped).
  void Synthesize(const float* src, const MutableTensorView& dst, const SampleLayout& layout, int64_t n,
                  ThreadPool& pool);

 private:
  struct Impl;
  explicit CompiledTransform(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace strait
