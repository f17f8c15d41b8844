#include "training/labelled_batch.h"

#include <cstring>

#include "entropy/error.h"
#include "strait/tensor.h"
#include "training/torch_shape.h"

namespace strait {

torch::Tensor PixelsOf(const Batch& batch) {
  torch::Tensor pixels = torch::empty({batch.size, 3, batch.height, batch.width});
  std::memcpy(pixels.data_ptr<float>(), batch.pixels.data(), batch.pixels.size() * sizeof(float));
  return pixels;
}

Status CheckClasses(const torch::Tensor& labels, const torch::Tensor& logits, const char* what) {
  const int64_t most = labels.max().item<int64_t>();
  if (most < logits.size(1)) return Status();
  return Error(StatusCode::kInvalidArgument, what, " hold class ", most,
               " (the first is 0), the network answers for ", logits.size(1), " classes");
}

Result<torch::Tensor> LabelsOf(const Batch& batch, const torch::Tensor& logits) {
  if (logits.dim() == 2) {
    const torch::Tensor labels = torch::tensor(batch.labels, torch::kLong);
    STRAIT_RETURN_IF_ERROR(CheckClasses(labels, logits, "labels"));
    return labels;
  }
  if (logits.dim() != 4 || logits.size(2) != batch.height || logits.size(3) != batch.width) {
    return Error(StatusCode::kInvalidArgument, "the network answers ", ToString(ShapeOf(logits)), " to images of ",
                 batch.height, "x", batch.width, "; wanted [N, classes], or for every pixel [N, classes, ",
                 batch.height, ", ", batch.width, "]");
  }
  if (batch.masks.empty()) return torch::Tensor();
  const torch::Tensor masks =
      torch::tensor(batch.masks, torch::kByte).to(torch::kLong).view({batch.size, batch.height, batch.width});
  STRAIT_RETURN_IF_ERROR(CheckClasses(masks, logits, "masks"));
  return masks;
}

}  // namespace strait
