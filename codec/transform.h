// Runs an op list with oneDNN, compiled for one input shape.
// Tensors are contiguous float32: {N, C, H, W} or {N, T, C}, in and out. Weights are copied at compile time.
// One thread: the caller's OpenMP settings are neither used nor changed. An object serves one thread at a time.
#pragma once

#include <memory>
#include <span>

#include "codec/model_spec.h"

namespace strait {

class CompiledTransform {
 public:
  // Errors: those of InferShape; kInternal when oneDNN refuses.
  static Result<CompiledTransform> Compile(const Transform& transform, const Shape& src_shape,
                                           const Limits& limits);

  CompiledTransform(CompiledTransform&&) noexcept;
  CompiledTransform& operator=(CompiledTransform&&) noexcept;
  ~CompiledTransform();

  const Shape& src_shape() const;
  const Shape& dst_shape() const;
  // Of all values together: what keeping this object costs.
  int64_t num_elements() const;

  // `src` and `dst` have exactly the elements of their shapes and do not overlap.
  Status Run(std::span<const float> src, std::span<float> dst);

 private:
  struct Impl;
  explicit CompiledTransform(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace strait
