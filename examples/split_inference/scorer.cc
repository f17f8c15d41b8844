#include "scorer.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "torch_error.h"

namespace split_inference {
namespace {

using strait::Result;
using strait::Status;
using strait::StatusCode;

std::vector<Score> BestOf(const torch::Tensor& logits, int top) {
  const auto count = std::min<int64_t>(top, logits.size(0));
  const auto [values, labels] = torch::topk(logits, count);
  std::vector<Score> scores;
  for (int64_t i = 0; i < count; ++i) {
    scores.push_back({static_cast<uint32_t>(labels[i].item<int64_t>()), values[i].item<float>()});
  }
  return scores;
}

}  // namespace

Result<Scorer> Scorer::Load(const std::string& path, const std::vector<int64_t>& shape, int top) {
  try {
    Scorer scorer;
    scorer.module_ = torch::jit::load(path, torch::kCPU);
    scorer.module_.eval();
    // Folds batch norm and the like, as profiles and exported halves do.
    if (scorer.module_.hasattr("training")) scorer.module_ = torch::jit::freeze(scorer.module_);
    scorer.top_ = top;
    std::vector<int64_t> sizes = {1};
    sizes.insert(sizes.end(), shape.begin(), shape.end());
    for (int i = 0; i < 2; ++i) {
      const auto scores = scorer.Run(torch::zeros(sizes));
      if (!scores.ok()) return Status(StatusCode::kInvalidArgument, path + ": " + scores.status().message());
    }
    return scorer;
  } catch (const std::exception& error) {
    return Status(StatusCode::kIo, path + ": " + FirstLine(error));
  }
}

Result<std::vector<std::vector<Score>>> Scorer::Run(const torch::Tensor& src) {
  try {
    const c10::InferenceMode inference;
    const torch::Tensor logits = module_.forward({src}).toTensor().to(torch::kFloat);
    if (logits.dim() != 2 || logits.size(0) != src.size(0) || logits.size(1) == 0) {
      return Status(StatusCode::kUnsupported, "network: wanted scores [N, classes]");
    }
    std::vector<std::vector<Score>> scores;
    for (int64_t i = 0; i < logits.size(0); ++i) scores.push_back(BestOf(logits[i], top_));
    return scores;
  } catch (const std::exception& error) {
    return Status(StatusCode::kInternal, "network: " + FirstLine(error));
  }
}

}  // namespace split_inference
