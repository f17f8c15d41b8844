// A convolution of either direction, or a linear op, as sums over shifted planes, with its weights packed for the
// kernels. Made once for a model; independent of sizes and of the instruction set. Immutable.
#pragma once

#include <cstdint>
#include <vector>

#include "codec/model_spec.h"

namespace strait {

// Along one axis. Source values, behind `halo` zeros, are dealt to src_phases planes in turn: value i lies in plane
// (i + halo) mod src_phases at (i + halo) / src_phases. Outputs of phase p are those at p, p + phases, p + 2
// phases, ...; the one at p + j phases sums over the taps: weight `kernel` times the value at j + shift of plane
// `plane`.
struct AxisTap {
  int64_t kernel, plane, shift;
};
struct AxisPlan {
  int64_t src_phases = 1;
  int64_t halo = 0;
  std::vector<std::vector<AxisTap>> phases;
};

struct ConvPlan {
  AxisPlan rows, cols;
  int64_t groups = 1;
  int64_t src_channels = 0, dst_channels = 0;  // of a group
  int64_t panel = 1;                           // channels of a panel of weights: 1, 2, 4 or 8

  // Of each phase, rows * cols of them: weights {groups, panels, taps, panel}, where the taps run over source
  // channels, then kernel rows, then columns. Channels that fill up the last panel are zero.
  std::vector<std::vector<float>> weights;
  std::vector<float> bias;  // {groups, panels, panel}

  int64_t num_panels() const { return (dst_channels + panel - 1) / panel; }
  int64_t num_taps(int64_t row_phase, int64_t col_phase) const {
    return src_channels * static_cast<int64_t>(rows.phases[row_phase].size() * cols.phases[col_phase].size());
  }
  // Reads its source as it is: the source's planes are the planes the taps are on.
  bool is_pointwise() const;
};

// Precondition: a conv2d, conv_transpose2d or linear of a validated transform.
ConvPlan PlanConv(const Op& op);

}  // namespace strait
