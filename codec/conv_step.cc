#include "codec/conv_step.h"

#include <algorithm>

namespace strait {
namespace {

// Size of a staged axis: all source values and all that the taps reach.
int64_t StagedSize(const AxisPlan& axis, int64_t src, int64_t dst) {
  int64_t size = (src + axis.halo + axis.src_phases - 1) / axis.src_phases;
  const auto phases = static_cast<int64_t>(axis.phases.size());
  for (int64_t phase = 0; phase < phases; ++phase) {
    const int64_t outputs = (dst - phase + phases - 1) / phases;
    for (const AxisTap& tap : axis.phases[phase]) size = std::max(size, outputs + tap.shift);
  }
  return size;
}

}  // namespace

ConvStep::Geometry ConvStep::GeometryOf(const ConvPlan& plan, const PlaneShape& src, const PlaneShape& dst) {
  Geometry geometry;
  geometry.staged_rows = StagedSize(plan.rows, src.rows, dst.rows);
  geometry.staged_cols = StagedSize(plan.cols, src.cols, dst.cols);
  if (plan.cols.src_phases > 1) geometry.staged_cols += kOverread;  // splitting writes whole vectors
  geometry.staged_channel =
      plan.rows.src_phases * plan.cols.src_phases * geometry.staged_rows * geometry.staged_cols;
  const auto row_phases = static_cast<int64_t>(plan.rows.phases.size());
  const auto col_phases = static_cast<int64_t>(plan.cols.phases.size());
  if (row_phases * col_phases > 1) {
    geometry.phases_channel = row_phases * ((dst.rows + row_phases - 1) / row_phases) * col_phases *
                              ((dst.cols + col_phases - 1) / col_phases);
  }
  return geometry;
}

int64_t ConvStep::ScratchElements(const ConvPlan& plan, const PlaneShape& src, const PlaneShape& dst, int threads) {
  if (plan.is_pointwise()) return 0;
  const Geometry geometry = GeometryOf(plan, src, dst);
  const int64_t copies = plan.groups > 1 ? threads : 1;
  return copies * (plan.src_channels * geometry.staged_channel + plan.dst_channels * geometry.phases_channel);
}

ConvStep::ConvStep(const ConvPlan& plan, const PlaneShape& src, const PlaneShape& dst, float slope, Simd simd,
                   int threads)
    : plan_(plan),
      src_(src),
      dst_(dst),
      slope_(slope),
      is_direct_(plan.is_pointwise()),
      by_group_(plan.groups > 1),
      kernels_(KernelsFor(simd, is_direct_ ? dst.size()
                                           : (dst.cols + static_cast<int64_t>(plan.cols.phases.size()) - 1) /
                                                 static_cast<int64_t>(plan.cols.phases.size()))),
      tile_vectors_(plan.panel == 1 ? kernels_.max_vectors_one_channel : kernels_.max_vectors) {
  if (is_direct_) {
    src_.cols = src.size();
    dst_.cols = dst.size();
    src_.rows = dst_.rows = 1;
  }
  geometry_ = GeometryOf(plan, src_, dst_);
  for (size_t row = 0; row < plan.rows.phases.size(); ++row) {
    for (size_t col = 0; col < plan.cols.phases.size(); ++col)
      AddPhase(static_cast<int64_t>(row), static_cast<int64_t>(col));
  }
  if (is_direct_) return;
  const size_t copies = by_group_ ? static_cast<size_t>(threads) : 1;
  staged_.assign(copies,
                 std::vector<float>(static_cast<size_t>(plan.src_channels * geometry_.staged_channel + kOverread)));
  if (phases_.size() > 1) {
    split_.assign(
        copies, std::vector<float>(static_cast<size_t>(plan.dst_channels * geometry_.phases_channel + kOverread)));
  }
}

void ConvStep::AddPhase(int64_t row, int64_t col) {
  const auto row_phases = static_cast<int64_t>(plan_.rows.phases.size());
  const auto col_phases = static_cast<int64_t>(plan_.cols.phases.size());
  Phase phase;
  phase.index = phases_.size();
  phase.dst.channels = 1;
  phase.dst.rows = (dst_.rows - row + row_phases - 1) / row_phases;
  phase.dst.cols = (dst_.cols - col + col_phases - 1) / col_phases;
  const int64_t plane = geometry_.staged_rows * geometry_.staged_cols;
  for (int64_t channel = 0; channel < plan_.src_channels; ++channel) {
    for (const AxisTap& y : plan_.rows.phases[row]) {
      for (const AxisTap& x : plan_.cols.phases[col]) {
        phase.offsets.push_back(channel * geometry_.staged_channel +
                                (y.plane * plan_.cols.src_phases + x.plane) * plane +
                                y.shift * geometry_.staged_cols + x.shift);
      }
    }
  }
  phase.row_vectors = (phase.dst.cols + kernels_.lanes - 1) / kernels_.lanes;
  phase.num_vectors = phase.dst.rows * phase.row_vectors;
  if (!phases_.empty()) phase.scratch_offset = phases_.back().scratch_offset + phases_.back().dst.size();
  phase.first_job = num_jobs_;
  num_jobs_ += (phase.num_vectors + tile_vectors_ - 1) / tile_vectors_;
  phases_.push_back(std::move(phase));
}

// A source plane to its staged planes, whose halo stays zero.
void ConvStep::Split(const float* src, float* staged) const {
  kernels_.split({src, src_.rows, src_.cols, plan_.rows.src_phases, plan_.cols.src_phases, plan_.rows.halo,
                  plan_.cols.halo, staged, geometry_.staged_cols, geometry_.staged_rows * geometry_.staged_cols});
}

// A tile of a phase from vector `begin` on, for all channels of a group. `src` is the group's first staged plane,
// `dst` the phase's plane of the group's first channel.
void ConvStep::RunTile(const Phase& phase, int64_t begin, int64_t group, const float* src, float* dst,
                       int64_t dst_channel_stride) const {
  ConvTile tile;
  tile.weight_stride = plan_.panel;
  tile.offsets = phase.offsets.data();
  tile.num_taps = static_cast<int64_t>(phase.offsets.size());
  tile.dst_channel_stride = dst_channel_stride;
  tile.slope = slope_;
  tile.num_vectors = static_cast<int>(std::min(tile_vectors_, phase.num_vectors - begin));
  int64_t row = begin / phase.row_vectors, col = begin % phase.row_vectors * kernels_.lanes;
  for (int v = 0; v < tile.num_vectors; ++v) {
    tile.src[v] = src + row * geometry_.staged_cols + col;
    tile.dst[v] = dst + row * phase.dst.cols + col;
    tile.lanes[v] = static_cast<int>(std::min<int64_t>(kernels_.lanes, phase.dst.cols - col));
    col += kernels_.lanes;
    if (col >= phase.dst.cols) {
      col = 0;
      ++row;
    }
  }
  const std::vector<float>& weights = plan_.weights[phase.index];
  for (int64_t panel = 0; panel < plan_.num_panels(); ++panel) {
    const int64_t index = group * plan_.num_panels() + panel;
    tile.weights = weights.data() + index * tile.num_taps * plan_.panel;
    tile.bias = plan_.bias.data() + index * plan_.panel;
    tile.num_channels = static_cast<int>(std::min(plan_.panel, plan_.dst_channels - panel * plan_.panel));
    kernels_.conv(tile);
    for (int v = 0; v < tile.num_vectors; ++v) tile.dst[v] += plan_.panel * dst_channel_stride;
  }
}

// The outputs of all phases of a channel to its plane.
void ConvStep::Merge(const float* split, float* dst) const {
  constexpr size_t kMaxPhases = 64 * 64;  // the largest strides
  const float* planes[kMaxPhases];
  for (const Phase& phase : phases_) planes[phase.index] = split + phase.scratch_offset;
  kernels_.merge({planes, static_cast<int64_t>(plan_.rows.phases.size()),
                  static_cast<int64_t>(plan_.cols.phases.size()), dst, dst_.rows, dst_.cols});
}

void ConvStep::RunGroup(int64_t group, const float* src, float* dst, int worker) {
  float* const staged = staged_[worker].data();
  for (int64_t channel = 0; channel < plan_.src_channels; ++channel)
    Split(src + (group * plan_.src_channels + channel) * src_.size(), staged + channel * geometry_.staged_channel);
  float* const group_dst = dst + group * plan_.dst_channels * dst_.size();
  const bool merges = phases_.size() > 1;
  for (const Phase& phase : phases_) {
    float* const phase_dst = merges ? split_[worker].data() + phase.scratch_offset : group_dst;
    for (int64_t begin = 0; begin < phase.num_vectors; begin += tile_vectors_) {
      RunTile(phase, begin, group, staged, phase_dst, merges ? geometry_.phases_channel : dst_.size());
    }
  }
  if (!merges) return;
  for (int64_t channel = 0; channel < plan_.dst_channels; ++channel)
    Merge(split_[worker].data() + channel * geometry_.phases_channel, group_dst + channel * dst_.size());
}

void ConvStep::RunWhole(const float* src, float* dst, ThreadPool& pool) {
  if (!is_direct_) {
    float* const staged = staged_[0].data();
    pool.For(src_.channels, [&](int64_t channel, int) {
      Split(src + channel * src_.size(), staged + channel * geometry_.staged_channel);
    });
    src = staged;
  }
  const bool merges = phases_.size() > 1;
  pool.For(num_jobs_, [&](int64_t job, int) {
    const Phase* phase = phases_.data() + phases_.size() - 1;
    while (phase->first_job > job) --phase;
    RunTile(*phase, (job - phase->first_job) * tile_vectors_, 0, src,
            merges ? split_[0].data() + phase->scratch_offset : dst,
            merges ? geometry_.phases_channel : dst_.size());
  });
  if (!merges) return;
  pool.For(dst_.channels, [&](int64_t channel, int) {
    Merge(split_[0].data() + channel * geometry_.phases_channel, dst + channel * dst_.size());
  });
}

void ConvStep::Run(const float* src, float* dst, ThreadPool& pool) {
  if (!by_group_) return RunWhole(src, dst, pool);
  pool.For(plan_.groups, [&](int64_t group, int worker) { RunGroup(group, src, dst, worker); });
}

}  // namespace strait
