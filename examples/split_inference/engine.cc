#include "engine.h"

#include <utility>

#include "strait/torch.h"

namespace split_inference {
namespace {

using strait::FrameView;
using strait::Result;
using strait::Status;
using strait::StatusCode;

}  // namespace

Engine::Engine(std::shared_ptr<const strait::Model> model, Scorer tail)
    : model_(std::move(model)), decoder_(model_), tail_(std::move(tail)) {}

Result<Engine> Engine::Load(const std::string& model_path, const std::string& tail_path, int top) {
  STRAIT_ASSIGN_OR_RETURN(std::shared_ptr<const strait::Model> model, strait::Model::Load(model_path));
  return Load(std::move(model), tail_path, top);
}

Result<Engine> Engine::Load(std::shared_ptr<const strait::Model> model, const std::string& tail_path, int top) {
  const strait::Shape& shape = model->feature_shape();
  STRAIT_ASSIGN_OR_RETURN(Scorer tail, Scorer::Load(tail_path, {shape.begin(), shape.end()}, top));
  return Engine(std::move(model), std::move(tail));
}

Status Engine::Check(FrameView frame) {
  STRAIT_ASSIGN_OR_RETURN(const strait::Shape shape, decoder_.ShapeOf(frame));
  if (shape == strait::WithBatch(1, model_->feature_shape())) return {};
  return {StatusCode::kInvalidArgument,
          "frame: holds " + ToString(shape) + ", this server takes 1x" + ToString(model_->feature_shape())};
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
  auto scores = decoded.ok() ? tail_.Run(features) : Result<std::vector<std::vector<Score>>>(decoded);
  for (size_t k = 0; k < sound.size(); ++k) {
    Result<std::vector<Score>>& result = results[place[k]];
    if (!scores.ok()) {
      result = scores.status();
    } else if (!statuses[k].ok()) {
      result = statuses[k];
    } else {
      result = std::move((*scores)[k]);
    }
  }
  return results;
}

}  // namespace split_inference
