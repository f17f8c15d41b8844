#include "codec/op_names.h"

#include <array>
#include <utility>

namespace strait {
namespace {

constexpr std::array<std::pair<OpKind, std::string_view>, 7> kNames = {{
    {OpKind::kConv2d, "conv2d"},
    {OpKind::kConvTranspose2d, "conv_transpose2d"},
    {OpKind::kLinear, "linear"},
    {OpKind::kRelu, "relu"},
    {OpKind::kLeakyRelu, "leaky_relu"},
    {OpKind::kPixelShuffle, "pixel_shuffle"},
    {OpKind::kAdd, "add"},
}};

}  // namespace

std::string_view OpName(OpKind kind) {
  for (const auto& [candidate, name] : kNames) {
    if (candidate == kind) return name;
  }
  return "unknown";
}

std::optional<OpKind> OpKindOf(std::string_view name) {
  for (const auto& [kind, candidate] : kNames) {
    if (candidate == name) return kind;
  }
  return std::nullopt;
}

}  // namespace strait
