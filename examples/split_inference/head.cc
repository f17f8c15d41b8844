#include "head.h"

#include <exception>
#include <vector>

#include "torch_error.h"

namespace split_inference {
namespace {

using strait::Result;
using strait::Status;
using strait::StatusCode;

}  // namespace

Result<Head> Head::Load(const std::string& path) {
  try {
    Head head;
    head.module_ = torch::jit::load(path, torch::kCPU);
    head.module_.eval();
    const std::vector<int64_t> input = head.module_.attr("input_shape").toIntVector();
    Preparation& preparation = head.preparation_;
    preparation.resize = static_cast<int>(head.module_.attr("resize").toInt());
    preparation.crop = static_cast<int>(head.module_.attr("crop").toInt());
    preparation.mean = head.module_.attr("mean").toDoubleVector();
    preparation.std = head.module_.attr("std").toDoubleVector();
    if (input.size() != 3 || input[0] != 3 || preparation.mean.size() != 3 || preparation.std.size() != 3) {
      return Status(StatusCode::kUnsupported, path + ": takes no RGB images");
    }
    preparation.height = static_cast<int>(input[1]);
    preparation.width = static_cast<int>(input[2]);
    return head;
  } catch (const std::exception& error) {
    return Status(StatusCode::kIo, path + ": " + FirstLine(error));
  }
}

Result<torch::Tensor> Head::Run(const Picture& picture) {
  try {
    const c10::InferenceMode inference;
    return module_.forward({Normalize(picture, preparation_)}).toTensor().to(torch::kFloat).contiguous();
  } catch (const std::exception& error) {
    return Status(StatusCode::kInternal, "head: " + FirstLine(error));
  }
}

}  // namespace split_inference
