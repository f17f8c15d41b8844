#include "codec/conv_plan.h"

#include <algorithm>

#include "codec/kernels/kernels.h"

namespace strait {
namespace {

// Output y reads input y stride - padding + kernel.
AxisPlan PlanConvAxis(int64_t kernels, int64_t stride, int64_t padding) {
  AxisPlan plan{stride, padding, {{}}};
  for (int64_t kernel = 0; kernel < kernels; ++kernel)
    plan.phases[0].push_back({kernel, kernel % stride, kernel / stride});
  return plan;
}

// Input i adds to output i stride - padding + kernel: output j stride + phase reads input
// j + (phase + padding - kernel) / stride where that divides.
AxisPlan PlanTransposeAxis(int64_t kernels, int64_t stride, int64_t padding) {
  AxisPlan plan;
  plan.phases.resize(static_cast<size_t>(stride));
  for (int64_t phase = 0; phase < stride; ++phase) {
    for (int64_t kernel = 0; kernel < kernels; ++kernel) {
      const int64_t scaled = phase + padding - kernel;
      if (scaled % stride != 0) continue;
      plan.phases[phase].push_back({kernel, 0, scaled / stride});
      plan.halo = std::max(plan.halo, -scaled / stride);
    }
  }
  for (std::vector<AxisTap>& taps : plan.phases) {
    for (AxisTap& tap : taps) tap.shift += plan.halo;
  }
  return plan;
}

// The weight of an op from a source channel of a group to one of its outputs.
float WeightAt(const Op& op, const ConvPlan& plan, int64_t group, int64_t dst, int64_t src, int64_t ky,
               int64_t kx) {
  if (op.kind == OpKind::kLinear) return op.weight.data[dst * plan.src_channels + src];
  const int64_t outer =
      op.kind == OpKind::kConv2d ? group * plan.dst_channels + dst : group * plan.src_channels + src;
  const int64_t inner = op.kind == OpKind::kConv2d ? src : dst;
  const Shape& shape = op.weight.shape;
  return op.weight.data[((outer * shape[1] + inner) * shape[2] + ky) * shape[3] + kx];
}

std::vector<float> PackPhase(const Op& op, const ConvPlan& plan, const std::vector<AxisTap>& rows,
                             const std::vector<AxisTap>& cols) {
  std::vector<float> packed;
  packed.reserve(static_cast<size_t>(plan.groups * plan.num_panels() * plan.src_channels * plan.panel) *
                 rows.size() * cols.size());
  for (int64_t group = 0; group < plan.groups; ++group) {
    for (int64_t first = 0; first < plan.dst_channels; first += plan.panel) {
      for (int64_t src = 0; src < plan.src_channels; ++src) {
        for (const AxisTap& row : rows) {
          for (const AxisTap& col : cols) {
            for (int64_t dst = first; dst < first + plan.panel; ++dst) {
              packed.push_back(dst < plan.dst_channels ? WeightAt(op, plan, group, dst, src, row.kernel, col.kernel)
                                                       : 0.0f);
            }
          }
        }
      }
    }
  }
  return packed;
}

}  // namespace

bool ConvPlan::is_pointwise() const {
  const auto is_identity = [](const AxisPlan& axis) {
    return axis.src_phases == 1 && axis.halo == 0 && axis.phases.size() == 1 && axis.phases[0].size() == 1;
  };
  return groups == 1 && is_identity(rows) && is_identity(cols);
}

ConvPlan PlanConv(const Op& op) {
  const Shape& shape = op.weight.shape;
  ConvPlan plan;
  plan.groups = op.groups;
  if (op.kind == OpKind::kLinear) {
    plan.rows = plan.cols = PlanConvAxis(1, 1, 0);
    plan.src_channels = shape[1];
    plan.dst_channels = shape[0];
  } else {
    const bool transposed = op.kind == OpKind::kConvTranspose2d;
    const auto axis_plan = transposed ? PlanTransposeAxis : PlanConvAxis;
    plan.rows = axis_plan(shape[2], op.stride[0], op.padding[0]);
    plan.cols = axis_plan(shape[3], op.stride[1], op.padding[1]);
    plan.src_channels = transposed ? shape[0] / op.groups : shape[1];
    plan.dst_channels = transposed ? shape[1] : shape[0] / op.groups;
  }
  while (plan.panel < std::min<int64_t>(plan.dst_channels, kMaxTileChannels)) plan.panel *= 2;
  for (const auto& rows : plan.rows.phases) {
    for (const auto& cols : plan.cols.phases) plan.weights.push_back(PackPhase(op, plan, rows, cols));
  }
  plan.bias.resize(static_cast<size_t>(plan.groups * plan.num_panels() * plan.panel));
  for (size_t i = 0; i < op.bias.data.size(); ++i) {
    const auto group = static_cast<int64_t>(i) / plan.dst_channels,
               dst = static_cast<int64_t>(i) % plan.dst_channels;
    plan.bias[group * plan.num_panels() * plan.panel + dst] = op.bias.data[i];
  }
  return plan;
}

}  // namespace strait
