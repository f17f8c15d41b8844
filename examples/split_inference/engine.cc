#include "engine.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "strait/torch.h"
#include "torch_error.h"

namespace split_inference {
namespace {

using strait::FrameView;
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

Engine::Engine(std::shared_ptr<const strait::Model> model, torch::jit::Module tail, int top)
    : model_(std::move(model)), decoder_(model_), tail_(std::move(tail)), top_(top) {}

Result<Engine> Engine::Load(const std::string& model_path, const std::string& tail_path, int top) {
  STRAIT_ASSIGN_OR_RETURN(std::shared_ptr<const strait::Model> model, strait::Model::Load(model_path));
  try {
    torch::jit::Module tail = torch::jit::load(tail_path, torch::kCPU);
    tail.eval();
    Engine engine(std::move(model), std::move(tail), top);
    // The first runs of a TorchScript module are slow: it profiles and optimises itself.
    const strait::Shape shape = strait::WithBatch(1, engine.model_->feature_shape());
    for (int i = 0; i < 2; ++i) {
      const auto logits = engine.RunTail(torch::zeros(torch::IntArrayRef(shape.data(), shape.size())));
      if (!logits.ok()) return Status(StatusCode::kInvalidArgument, tail_path + ": " + logits.status().message());
    }
    return engine;
  } catch (const std::exception& error) {
    return Status(StatusCode::kIo, tail_path + ": " + FirstLine(error));
  }
}

Status Engine::Check(FrameView frame) {
  STRAIT_ASSIGN_OR_RETURN(const strait::Shape shape, decoder_.ShapeOf(frame));
  if (shape == strait::WithBatch(1, model_->feature_shape())) return {};
  return {StatusCode::kInvalidArgument,
          "frame: holds " + ToString(shape) + ", this server takes 1x" + ToString(model_->feature_shape())};
}

Result<torch::Tensor> Engine::RunTail(const torch::Tensor& features) {
  try {
    const c10::InferenceMode inference;
    const torch::Tensor logits = tail_.forward({features}).toTensor();
    if (logits.dim() == 2 && logits.size(0) == features.size(0) && logits.size(1) > 0) {
      return logits.to(torch::kFloat);
    }
    return Status(StatusCode::kUnsupported, "tail: wanted scores [N, classes]");
  } catch (const std::exception& error) {
    return Status(StatusCode::kInternal, "tail: " + FirstLine(error));
  }
}

std::vector<Result<std::vector<Score>>> Engine::Run(std::span<const FrameView> frames) {
  std::vector<Result<std::vector<Score>>> results(frames.size(), std::vector<Score>());
  std::vector<FrameView> sound;
  std::vector<size_t> place;  // of each sound frame in `frames`
  for (size_t i = 0; i < frames.size(); ++i) {
    if (Status status = Check(frames[i]); !status.ok()) {
      results[i] = status;
      continue;
    }
    sound.push_back(frames[i]);
    place.push_back(i);
  }
  if (sound.empty()) return results;

  const strait::Shape shape = strait::WithBatch(static_cast<int64_t>(sound.size()), model_->feature_shape());
  const torch::Tensor features = torch::empty(torch::IntArrayRef(shape.data(), shape.size()));
  std::vector<Status> statuses(sound.size());
  const Status decoded = strait::torch_decode_batch(decoder_, sound, features, statuses);
  // Unsound frames leave zeros, and the tail runs over them: rarer than it would be dear to compact the batch.
  const Result<torch::Tensor> logits = decoded.ok() ? RunTail(features) : Result<torch::Tensor>(decoded);
  for (size_t k = 0; k < sound.size(); ++k) {
    Result<std::vector<Score>>& result = results[place[k]];
    if (!logits.ok()) {
      result = logits.status();
    } else if (!statuses[k].ok()) {
      result = statuses[k];
    } else {
      result = BestOf((*logits)[static_cast<int64_t>(k)], top_);
    }
  }
  return results;
}

}  // namespace split_inference
