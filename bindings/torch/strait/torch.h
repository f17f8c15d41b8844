// LibTorch adaptor: torch::Tensor in and out of the codec, on the CPU and without a copy. Header only; needs
// LibTorch.
//
//   strait::Encoder encoder(model);
//   auto frame = strait::torch_encode(encoder, features, {.quality = 2.5});    // Result<std::vector<uint8_t>>
//   strait::Decoder decoder(model);
//   auto restored = strait::torch_decode(decoder, *frame, torch::kHalf);       // Result<torch::Tensor>
//
// Tensors are float32, float16, bfloat16 or int8 quantised (per tensor, zero point 0), contiguous or channels-last,
// as strait::TensorView takes them; the codec refuses other strides (kUnsupported). Tensors on other devices are
// refused: bring them over with .cpu(), or run the transforms there and use torch_symbols (docs/two-processes.md).
// Autograd does not see what happens here. Functions are named as LibTorch names its own.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "strait/decoder.h"
#include "strait/encoder.h"
#include "strait/result.h"
#include "strait/tensor.h"

namespace strait {
namespace torch_detail {

inline Status Refuse(StatusCode code, const std::string& why) { return Status(code, "torch tensor: " + why); }

inline Status CheckTensor(const torch::Tensor& tensor) {
  if (!tensor.defined()) return Refuse(StatusCode::kInvalidArgument, "is undefined");
  if (!tensor.device().is_cpu()) {
    return Refuse(StatusCode::kUnsupported,
                  "is on " + tensor.device().str() + ", Strait works in CPU memory; call .cpu() first");
  }
  if (tensor.layout() != torch::kStrided)
    return Refuse(StatusCode::kUnsupported, "is sparse; call .to_dense() first");
  if (tensor.is_neg()) return Refuse(StatusCode::kUnsupported, "is a negative view; call .resolve_neg() first");
  if (tensor.dim() > static_cast<int64_t>(Shape::kMaxRank)) {
    return Refuse(StatusCode::kInvalidArgument, "has " + std::to_string(tensor.dim()) + " dimensions, at most " +
                                                    std::to_string(Shape::kMaxRank));
  }
  return Status();
}

// Sets dtype and scale of a view.
template <typename View>
Status SetType(const torch::Tensor& tensor, View& view) {
  switch (tensor.scalar_type()) {
    case torch::kFloat:
      view.dtype = DType::kFloat32;
      return Status();
    case torch::kHalf:
      view.dtype = DType::kFloat16;
      return Status();
    case torch::kBFloat16:
      view.dtype = DType::kBfloat16;
      return Status();
    case torch::kQInt8:
      if (tensor.qscheme() != torch::kPerTensorAffine || tensor.q_zero_point() != 0) {
        return Refuse(StatusCode::kUnsupported, "is quantised with zero points or by channel; wanted one scale");
      }
      view.dtype = DType::kInt8;
      view.scale = static_cast<float>(tensor.q_scale());
      return Status();
    default:
      return Refuse(StatusCode::kUnsupported, std::string("holds ") + torch::toString(tensor.scalar_type()) +
                                                  "; call .to(torch::kFloat) first");
  }
}

template <typename View>
Result<View> MakeView(const torch::Tensor& tensor) {
  STRAIT_RETURN_IF_ERROR(CheckTensor(tensor));
  View view;
  STRAIT_RETURN_IF_ERROR(SetType(tensor, view));
  view.data = tensor.data_ptr();
  view.shape = Shape(tensor.sizes().begin(), tensor.sizes().end());
  view.strides = Shape(tensor.strides().begin(), tensor.strides().end());
  return view;
}

inline torch::IntArrayRef SizesOf(const Shape& shape) { return {shape.data(), shape.size()}; }

}  // namespace torch_detail

// Views of a tensor's own memory, valid while the tensor's storage is. Errors: kUnsupported (device, layout, type),
// kInvalidArgument (undefined, more than 8 dimensions).
inline Result<TensorView> torch_view(const torch::Tensor& tensor) {
  return torch_detail::MakeView<TensorView>(tensor);
}
inline Result<MutableTensorView> torch_mutable_view(const torch::Tensor& tensor) {
  return torch_detail::MakeView<MutableTensorView>(tensor);
}

// Encoder::Encode of a tensor, {N, C, H, W} or {N, T, C}.
inline Result<std::vector<uint8_t>> torch_encode(Encoder& encoder, const torch::Tensor& src,
                                                 const EncodeOptions& options = {}) {
  STRAIT_ASSIGN_OR_RETURN(const TensorView view, torch_view(src));
  std::vector<uint8_t> frame;
  STRAIT_RETURN_IF_ERROR(encoder.Encode(view, options, frame));
  return frame;
}

// Decoder::Decode into memory that `dst` already has; its shape is the frame's.
inline Status torch_decode_into(Decoder& decoder, FrameView frame, const torch::Tensor& dst) {
  STRAIT_ASSIGN_OR_RETURN(const MutableTensorView view, torch_mutable_view(dst));
  return decoder.Decode(frame, view);
}

// Decoder::Decode into a new tensor of a floating type, contiguous or torch::MemoryFormat::ChannelsLast.
inline Result<torch::Tensor> torch_decode(Decoder& decoder, FrameView frame, torch::Dtype dtype = torch::kFloat,
                                          torch::MemoryFormat format = torch::MemoryFormat::Contiguous) {
  STRAIT_ASSIGN_OR_RETURN(const Shape shape, decoder.ShapeOf(frame));
  torch::Tensor dst;
  try {
    dst = torch::empty(torch_detail::SizesOf(shape), torch::dtype(dtype).memory_format(format));
  } catch (const std::exception& error) {  // no memory, or a format that the shape cannot have
    return torch_detail::Refuse(StatusCode::kInvalidArgument,
                                "cannot make one of " + ToString(shape) + ": " + error.what());
  }
  STRAIT_RETURN_IF_ERROR(torch_decode_into(decoder, frame, dst));
  return dst;
}

// Decoder::DecodeBatch: frame i fills the i-th part of `dst`, {N, ...} with N a multiple of frames.size().
inline Status torch_decode_batch(Decoder& decoder, std::span<const FrameView> frames, const torch::Tensor& dst,
                                 std::span<Status> statuses = {}) {
  STRAIT_ASSIGN_OR_RETURN(const MutableTensorView view, torch_mutable_view(dst));
  return decoder.DecodeBatch(frames, view, statuses);
}

// Decoder::DecodeSymbols: int16, of the latent's shape; what synthesis.ts of `strait-train export` takes.
inline Result<torch::Tensor> torch_symbols(Decoder& decoder, FrameView frame) {
  auto symbols = std::make_unique<std::vector<int16_t>>();
  Shape shape;
  STRAIT_RETURN_IF_ERROR(decoder.DecodeSymbols(frame, *symbols, shape));
  int16_t* data = symbols->data();
  return torch::from_blob(
      data, torch_detail::SizesOf(shape), [owner = std::shared_ptr(std::move(symbols))](void*) {}, torch::kShort);
}

}  // namespace strait
