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

Result<torch::Tensor> LabelsOf(const Batch& batch, const torch::Tensor& logits) {
  if (logits.dim() == 2) return torch::tensor(batch.labels, torch::kLong);
  if (logits.dim() != 4 || logits.size(2) != batch.height || logits.size(3) != batch.width) {
    return Error(StatusCode::kInvalidArgument, "the network answers ", ToString(ShapeOf(logits)), " to images of ",
                 batch.height, "x", batch.width, "; wanted [N, classes], or for every pixel [N, classes, ",
                 batch.height, ", ", batch.width, "]");
  }
  if (batch.masks.empty()) return torch::Tensor();
  const torch::Tensor masks =
      torch::tensor(batch.masks, torch::kByte).to(torch::kLong).view({batch.size, batch.height, batch.width});
  if (const int64_t most = masks.max().item<int64_t>(); most >= logits.size(1)) {
    return Error(StatusCode::kInvalidArgument, "masks hold class ", most, ", the network answers for ",
                 logits.size(1), " classes");
  }
  return masks;
}

}  // namespace strait
