#include "training/builtin_backbone.h"

#include <fmt/format.h>
#include <torch/script.h>
#include <torch/torch.h>

#include <chrono>
#include <cmath>
#include <numbers>
#include <sstream>
#include <thread>

#include "codec/file_io.h"
#include "datasets/loader.h"
#include "datasets/subset.h"
#include "entropy/error.h"
#include "training/builtin_network.h"
#include "training/evaluate.h"
#include "training/labelled_batch.h"
#include "training/run_log.h"
#include "training/torch_status.h"

namespace strait {
namespace {

constexpr double kWeightDecay = 0.02;

class BackboneTrainer {
 public:
  explicit BackboneTrainer(const Recipe& recipe) : recipe_(recipe) {}

  Result<double> Run(const std::string& out_path) {
    STRAIT_RETURN_IF_ERROR(Prepare());
    double accuracy = 0;
    for (int epoch = 0; epoch < recipe_.train.epochs; ++epoch) {
      const auto start = std::chrono::steady_clock::now();
      STRAIT_ASSIGN_OR_RETURN(const double loss, TrainEpoch(epoch));
      STRAIT_ASSIGN_OR_RETURN(accuracy, Validate());
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      fmt::print(stderr, "epoch {}/{}: loss {:.4f}, accuracy {:.2f} %, {:.1f} s\n", epoch + 1, recipe_.train.epochs,
                 loss, accuracy, seconds);
    }
    STRAIT_RETURN_IF_ERROR(Save(out_path));
    return accuracy;
  }

 private:
  Status Prepare() {
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    torch::set_num_threads(recipe_.train.threads > 0 ? recipe_.train.threads : std::max(1, cores));
    const bool cuda = torch::cuda::is_available();
    if (recipe_.train.device == "cuda" && !cuda) {
      return Error(StatusCode::kInvalidArgument,
                   "train.device: \"cuda\" asked for, but this LibTorch finds no CUDA ", "device; use \"auto\"");
    }
    device_ = cuda && recipe_.train.device != "cpu" ? torch::kCUDA : torch::kCPU;
    STRAIT_ASSIGN_OR_RETURN(train_set_, OpenDataset(recipe_.data.spec, Subset::kTrain));
    STRAIT_ASSIGN_OR_RETURN(validation_set_, OpenDataset(recipe_.data.spec, Subset::kValidation));
    train_set_ = TakeSubset(std::move(train_set_), recipe_.data.train_samples);
    validation_set_ = TakeSubset(std::move(validation_set_), recipe_.data.val_samples);
    int64_t side = 0;
    if (recipe_.network.kind == NetworkKind::kVit) {
      STRAIT_ASSIGN_OR_RETURN(side, ImageSide());
    }
    const int64_t classes = static_cast<int64_t>(train_set_->class_names().size());
    STRAIT_ASSIGN_OR_RETURN(network_, MakeBuiltinNetwork(recipe_.network, side, classes, recipe_.train.seed));
    network_.to(device_);
    std::vector<torch::Tensor> parameters;
    for (const torch::Tensor& parameter : network_.parameters()) parameters.push_back(parameter);
    optimizer_ = std::make_unique<torch::optim::AdamW>(
        parameters, torch::optim::AdamWOptions(recipe_.train.learning_rate).weight_decay(kWeightDecay));
    const int64_t batch = recipe_.train.batch_size;
    steps_per_epoch_ = std::max<int64_t>(1, static_cast<int64_t>(train_set_->size()) / batch);
    total_steps_ = steps_per_epoch_ * recipe_.train.epochs;
    return Status();
  }

  // Of the images as the loader gives them.
  Result<int64_t> ImageSide() const {
    LoaderOptions options = Options(false);
    options.batch_size = options.threads = 1;
    Loader loader(*validation_set_, recipe_.data.preprocess, options, 0);
    STRAIT_ASSIGN_OR_RETURN(const std::optional<Batch> batch, loader.Next());
    if (batch && batch->height == batch->width) return batch->height;
    return Error(StatusCode::kInvalidArgument, recipe_.data.spec, ": ",
                 batch ? "images are not square; set data.resize and data.crop" : "has no image");
  }

  double LearningRate() const {
    const double step = static_cast<double>(step_);
    if (step < recipe_.train.warmup_steps)
      return recipe_.train.learning_rate * (step + 1) / recipe_.train.warmup_steps;
    const double share = std::min(1.0, step / static_cast<double>(total_steps_));
    return recipe_.train.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * share));
  }

  LoaderOptions Options(bool training) const {
    LoaderOptions options;
    options.batch_size = training ? recipe_.train.batch_size : 256;
    options.shuffle = training;
    options.drop_last = training && train_set_->size() >= static_cast<size_t>(options.batch_size);
    options.seed = recipe_.train.seed;
    options.threads = recipe_.data.threads;
    return options;
  }

  // Errors: as LabelsOf, and kInvalidArgument for a data set without masks where they are needed.
  Result<torch::Tensor> Labels(const Batch& batch, const torch::Tensor& logits) const {
    STRAIT_ASSIGN_OR_RETURN(const torch::Tensor labels, LabelsOf(batch, logits));
    if (labels.defined()) return labels;
    return Error(StatusCode::kInvalidArgument, recipe_.data.spec,
                 ": has no masks, which network.kind = \"encoder-decoder\" learns from");
  }

  Result<double> TrainEpoch(int epoch) {
    network_.train();
    Loader loader(*train_set_, recipe_.data.preprocess, Options(true), static_cast<uint64_t>(epoch));
    Progress progress(fmt::format("epoch {}", epoch + 1), steps_per_epoch_);
    double sum = 0;
    int64_t batches = 0;
    while (true) {
      STRAIT_ASSIGN_OR_RETURN(const std::optional<Batch> batch, loader.Next());
      if (!batch) break;
      STRAIT_ASSIGN_OR_RETURN(const double loss, Step(*batch));
      if (!std::isfinite(loss)) {
        return Error(StatusCode::kInternal, "backbone: loss is not finite at step ", step_,
                     "; lower train.learning_rate");
      }
      sum += loss;
      ++batches;
      progress.Update(batches, fmt::format("loss {:.3f}", sum / static_cast<double>(batches)));
    }
    progress.Finish();
    for (const std::string& line : loader.skipped()) fmt::print(stderr, "skipped: {}\n", line);
    return batches == 0 ? 0 : sum / static_cast<double>(batches);
  }

  Result<double> Step(const Batch& batch) {
    for (auto& group : optimizer_->param_groups()) group.options().set_lr(LearningRate());
    optimizer_->zero_grad();
    const torch::Tensor logits = network_.forward({PixelsOf(batch).to(device_)}).toTensor();
    STRAIT_ASSIGN_OR_RETURN(const torch::Tensor labels, Labels(batch, logits));
    const torch::Tensor loss = torch::cross_entropy_loss(logits, labels.to(device_));
    loss.backward();
    if (recipe_.train.grad_clip > 0) {
      std::vector<torch::Tensor> parameters;
      for (const torch::Tensor& parameter : network_.parameters()) parameters.push_back(parameter);
      torch::nn::utils::clip_grad_norm_(parameters, recipe_.train.grad_clip);
    }
    optimizer_->step();
    ++step_;
    return loss.item<double>();
  }

  Result<double> Validate() {
    torch::NoGradGuard no_grad;
    network_.eval();
    Preprocess preprocess = recipe_.data.preprocess;
    preprocess.augment = false;
    Loader loader(*validation_set_, preprocess, Options(false), 0);
    std::vector<torch::Tensor> answers, labels;
    while (true) {
      STRAIT_ASSIGN_OR_RETURN(const std::optional<Batch> batch, loader.Next());
      if (!batch) break;
      const torch::Tensor logits = network_.forward({PixelsOf(*batch).to(device_)}).toTensor().cpu();
      STRAIT_ASSIGN_OR_RETURN(labels.emplace_back(), Labels(*batch, logits));
      answers.push_back(AnswersOf(logits));
    }
    return answers.empty() ? 0.0 : Accuracy(torch::cat(answers), torch::cat(labels));
  }

  Status Save(const std::string& out_path) {
    network_.to(torch::kCPU);
    network_.eval();
    std::ostringstream stream;
    network_.save(stream);
    const std::string bytes = std::move(stream).str();
    return WriteTextAtomic(out_path, bytes);
  }

  Recipe recipe_;
  torch::Device device_{torch::kCPU};
  std::unique_ptr<Dataset> train_set_;
  std::unique_ptr<Dataset> validation_set_;
  torch::jit::Module network_;
  std::unique_ptr<torch::optim::AdamW> optimizer_;
  int64_t steps_per_epoch_ = 0;
  int64_t total_steps_ = 0;
  int64_t step_ = 0;
};

}  // namespace

const char* DefaultBackboneRecipe() {
  return R"(# The built-in network on the built-in data.
[data]
spec = "shapes"
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]

[network]
width = 16
blocks = 1

[train]
epochs = 7
batch_size = 32
learning_rate = 3e-3
warmup_steps = 50
seed = 1
)";
}

Result<double> TrainBuiltinBackbone(const Recipe& recipe, const std::string& out_path) {
  return CatchTorch(StatusCode::kInternal, "backbone", [&] { return BackboneTrainer(recipe).Run(out_path); });
}

}  // namespace strait
