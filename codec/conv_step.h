// Runs a planned convolution on planes of one size. Its buffers belong to it; the plan must outlive it.
#pragma once

#include <cstdint>
#include <vector>

#include "codec/conv_plan.h"
#include "codec/kernels/kernels.h"
#include "codec/thread_pool.h"
#include "entropy/simd.h"

namespace strait {

// Values are planes {C, H, W} of contiguous float32, one sample.
struct PlaneShape {
  int64_t channels = 0, rows = 0, cols = 0;
  int64_t size() const { return rows * cols; }
  int64_t elements() const { return channels * rows * cols; }
};

class ConvStep {
 public:
  // Floats that a step of this shape allocates.
  static int64_t ScratchElements(const ConvPlan& plan, const PlaneShape& src, const PlaneShape& dst, int threads);

  // `slope` multiplies results below zero: 1 is no activation.
  ConvStep(const ConvPlan& plan, const PlaneShape& src, const PlaneShape& dst, float slope, Simd simd, int threads);

  // Whether it reads behind its source, up to kOverread floats.
  bool overreads() const { return is_direct_; }

  void Run(const float* src, float* dst, ThreadPool& pool);

 private:
  struct Phase {
    size_t index = 0;
    PlaneShape dst;                // one channel, of the outputs of this phase
    std::vector<int64_t> offsets;  // of each tap from the start of a group's staged planes
    int64_t row_vectors = 0;       // of a row of outputs, the last one perhaps not full
    int64_t num_vectors = 0;
    int64_t first_job = 0;       // chunks of vectors before this phase
    int64_t scratch_offset = 0;  // of its planes among those of all phases
  };
  struct Geometry {
    int64_t staged_rows = 0, staged_cols = 0;  // of a staged plane
    int64_t staged_channel = 0;                // floats of all planes of a channel
    int64_t phases_channel = 0;                // floats of the outputs of all phases of a channel
  };
  static Geometry GeometryOf(const ConvPlan& plan, const PlaneShape& src, const PlaneShape& dst);

  void AddPhase(int64_t row, int64_t col);
  void Split(const float* src, float* staged) const;
  void RunTile(const Phase& phase, int64_t begin, int64_t group, const float* src, float* dst,
               int64_t dst_channel_stride) const;
  void Merge(const float* split, float* dst) const;
  void RunGroup(int64_t group, const float* src, float* dst, int worker);
  void RunWhole(const float* src, float* dst, ThreadPool& pool);

  const ConvPlan& plan_;
  PlaneShape src_, dst_;
  float slope_;
  bool is_direct_;  // pointwise: the source needs no staging and its plane is one long row
  bool by_group_;   // a job is a group, with buffers for each worker, rather than a part of the output
  const Kernels& kernels_;
  int64_t tile_vectors_;
  Geometry geometry_;
  std::vector<Phase> phases_;
  int64_t num_jobs_ = 0;
  std::vector<std::vector<float>> staged_;  // of each worker by group, else one
  std::vector<std::vector<float>> split_;   // outputs by phase, before they are merged
};

}  // namespace strait
