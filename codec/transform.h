// Runs an op list on one sample after another, compiled for one sample shape.
// Weights are copied at compile time. An object serves one thread at a time.
#pragma once

#include <memory>

#include "codec/model_spec.h"
#include "codec/tensor_io.h"

namespace strait {

class CompiledTransform {
 public:
  // `src_shape` is that of a sample, {C, H, W} or {T, C}. Errors: those of InferShape; kInternal when oneDNN refuses.
  static Result<CompiledTransform> Compile(const Transform& transform, const Shape& src_shape,
                                           const Limits& limits);

  CompiledTransform(CompiledTransform&&) noexcept;
  CompiledTransform& operator=(CompiledTransform&&) noexcept;
  ~CompiledTransform();

  // Of a sample.
  const Shape& src_shape() const;
  const Shape& dst_shape() const;
  // Of all values together: what keeping this object costs.
  int64_t num_elements() const;

  // Sample `n` of a feature tensor of at most src_shape (the rest is padded) to a contiguous latent.
  Status Analyze(const TensorView& src, const SampleLayout& layout, int64_t n, float* dst);
  // A contiguous latent to sample `n` of a feature tensor of at most dst_shape (the rest is cropped).
  Status Synthesize(const float* src, const MutableTensorView& dst, const SampleLayout& layout, int64_t n);

 private:
  struct Impl;
  explicit CompiledTransform(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace strait
