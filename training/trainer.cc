#include "training/trainer.h"

#include <fmt/core.h>
#include <torch/script.h>
#include <torch/torch.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "codec/file_io.h"
#include "entropy/error.h"
#include "training/backbone.h"
#include "training/checkpoint.h"
#include "training/feature_source.h"
#include "training/interrupt.h"
#include "training/run_log.h"
#include "training/run_output.h"
#include "training/run_state.h"
#include "training/source_data.h"
#include "training/tail.h"
#include "training/torch_status.h"
#include "training/unit_bank.h"

namespace strait {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kStepsPerLogLine = 50;
constexpr int64_t kCalibrationSamples = 1024;       // for the tables of an epoch's validation
constexpr int64_t kFinalCalibrationSamples = 4096;  // for those of the model file
constexpr int64_t kInitializeSamples = 64;

double Seconds(Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); }

Result<torch::Device> ChooseDevice(const std::string& name) {
  const bool cuda = torch::cuda::is_available();
  if (name == "cuda" && !cuda) {
    return Error(StatusCode::kInvalidArgument,
                 "train.device: \"cuda\" asked for, but this LibTorch finds no CUDA device; use \"auto\"");
  }
  return torch::Device(cuda && name != "cpu" ? torch::kCUDA : torch::kCPU);
}

Status MakeDirectory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Error(StatusCode::kIo, path, ": cannot create the run directory: ", error.message());
  return Status();
}

nlohmann::json ToJson(const std::vector<RdPoint>& points) {
  nlohmann::json list = nlohmann::json::array();
  for (const RdPoint& point : points) {
    list.push_back({{"level", point.level},
                    {"lambda", point.lambda},
                    {"bytes_per_sample", point.bytes_per_sample},
                    {"top1", point.top1},
                    {"agreement", point.agreement}});
  }
  return list;
}

class Trainer {
 public:
  Trainer(const Recipe& recipe, const RunOptions& options) : recipe_(recipe), options_(options) {}

  Status Run() {
    const InterruptScope interrupt;
    STRAIT_RETURN_IF_ERROR(OpenCheckpoint());
    STRAIT_RETURN_IF_ERROR(Prepare());
    STRAIT_RETURN_IF_ERROR(Restore());
    for (int64_t epoch = step_ / steps_per_epoch_; epoch < recipe_.train.epochs; ++epoch) {
      STRAIT_RETURN_IF_ERROR(RunEpoch(epoch));
    }
    return Finish();
  }

 private:
  std::string Path(const char* name) const { return options_.out_dir + "/" + name; }

  // Before anything slow: a run that cannot be continued or begun ends here.
  Status OpenCheckpoint() {
    const std::string path = Path("checkpoint.pt");
    const bool exists = std::filesystem::exists(path);
    if (!options_.resume) {
      if (!exists) return CheckNoSplits();
      return Error(StatusCode::kInvalidArgument, path,
                   ": a run is here already; continue it with --resume or choose another --out");
    }
    if (!exists)
      return Error(StatusCode::kIo, path,
                   ": not found, nothing to resume; start without --resume or name the run with --out");
    STRAIT_ASSIGN_OR_RETURN(checkpoint_, LoadCheckpoint(path));
    return AdoptRecipe(checkpoint_, options_.out_dir, recipe_);
  }

  // A run of several splits has no checkpoint of its own, but is one not to be written over.
  Status CheckNoSplits() const {
    const Result<Recipe> other = LoadRecipe(Path("recipe.toml"), {});
    if (!other.ok() || other->split.points.empty()) return Status();
    return Error(StatusCode::kInvalidArgument, Path("recipe.toml"),
                 ": a run of several splits is here; choose another --out");
  }

  // The network and the data must be what the checkpoint was made with.
  Status CheckResumed() const {
    if (!options_.resume) return Status();
    const std::string path = Path("checkpoint.pt");
    STRAIT_RETURN_IF_ERROR(CheckBackbone(checkpoint_, options_.out_dir, recipe_.backbone.file, backbone_hash_));
    if (checkpoint_.train_samples != train_data_.size()) {
      return Error(StatusCode::kInvalidArgument, path, ": made with ", checkpoint_.train_samples,
                   " training samples, but ", recipe_.data.spec, " has ", train_data_.size(),
                   "; restore the data or start a new run");
    }
    return Status();
  }

  // Labels are numbers: those of ten folders say nothing to a network of a thousand classes.
  void NoteForeignClasses() const {
    if (!train_data_.images || eval_set_.answers.dim() != 1) return;
    const auto classes = static_cast<int64_t>(train_data_.images->class_names().size());
    const int64_t most = eval_set_.answers.max().item<int64_t>();
    if (most < classes) return;
    fmt::print(stderr,
               "{}: has {} classes, of which the first is 0, but the network answers class {}: if its classes are "
               "others, top-1 says nothing (agreement does) and loss.kind = \"task\" is not for this data\n",
               recipe_.data.spec, classes, most);
  }

  Status Prepare() {
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    torch::set_num_threads(recipe_.train.threads > 0 ? recipe_.train.threads : std::max(1, cores));
    STRAIT_ASSIGN_OR_RETURN(device_, ChooseDevice(recipe_.train.device));
    STRAIT_ASSIGN_OR_RETURN(Backbone backbone, Backbone::Load(recipe_.backbone.file, recipe_.backbone.input));
    STRAIT_ASSIGN_OR_RETURN(network_, backbone.Cut(recipe_.split.point));
    backbone_hash_ = backbone.hash();
    frozen_hash_ = HashConstants(network_.head) + HashConstants(network_.tail);
    STRAIT_RETURN_IF_ERROR(CheckUnitFits(recipe_.unit, network_.info.shape));
    STRAIT_ASSIGN_OR_RETURN(train_data_, OpenSourceData(recipe_, Subset::kTrain, network_.info.shape));
    STRAIT_ASSIGN_OR_RETURN(const SourceData validation_data,
                            OpenSourceData(recipe_, Subset::kValidation, network_.info.shape));
    STRAIT_RETURN_IF_ERROR(CheckResumed());
    const bool compares_stages = recipe_.loss.kind == LossKind::kDistill && recipe_.loss.feature_weight > 0;
    STRAIT_ASSIGN_OR_RETURN(tail_, Tail::Create(network_, compares_stages, device_));
    STRAIT_ASSIGN_OR_RETURN(const ValidationFeatures validation,
                            BuildEvalSet(recipe_, validation_data, network_, tail_, device_));
    if (recipe_.loss.kind == LossKind::kTask && !validation.has_labels) {
      return Error(
          StatusCode::kInvalidArgument, recipe_.data.spec,
          ": has no masks, which loss.kind = \"task\" needs for a network that answers for every pixel; use "
          "\"distill\"");
    }
    STRAIT_ASSIGN_OR_RETURN(source_, MakeFeatureSource(recipe_, train_data_, network_, tail_, device_));
    eval_set_ = validation.set;
    fmt::print(stderr, "{}: {} training and {} validation samples, unsplit {} {:.2f} %\n", recipe_.data.spec,
               train_data_.size(), eval_set_.labels.size(0), AccuracyName(eval_set_.answers),
               Accuracy(eval_set_.answers, eval_set_.labels));
    NoteForeignClasses();
    STRAIT_ASSIGN_OR_RETURN(const torch::Tensor first, source_->Calibration(kInitializeSamples));
    bank_ =
        std::make_unique<UnitBank>(recipe_, network_.info.shape, first.min().item<float>() >= 0, tail_, device_);
    steps_per_epoch_ = source_->batches_per_epoch();
    total_steps_ = steps_per_epoch_ * recipe_.train.epochs;
    return Status();
  }

  // Starts afresh or from the checkpoint, and settles what "auto" means for this run.
  Status Restore() {
    if (options_.resume) {
      STRAIT_RETURN_IF_ERROR(bank_->LoadTensors(checkpoint_.tensors));
      STRAIT_RETURN_IF_ERROR(bank_->LoadOptimizer(checkpoint_.optimizer_state));
      step_ = checkpoint_.step;
      checkpoint_ = {};
    } else {
      STRAIT_ASSIGN_OR_RETURN(const torch::Tensor first, source_->Calibration(kInitializeSamples));
      if (recipe_.train.precision == PrecisionKind::kAuto) STRAIT_RETURN_IF_ERROR(ChoosePrecision());
      bank_->Initialize(first);
    }
    STRAIT_RETURN_IF_ERROR(MakeDirectory(options_.out_dir));  // only now: an early end leaves no empty folder
    // A resumed run's stays that of the models which are there until there are others.
    std::error_code error;
    if (!options_.resume || !std::filesystem::exists(Path("recipe.toml"), error))
      STRAIT_RETURN_IF_ERROR(WriteTextAtomic(Path("recipe.toml"), ToToml(recipe_)));
    STRAIT_ASSIGN_OR_RETURN(RunLog log, RunLog::Open(Path("metrics.jsonl"), options_.resume ? step_ : -1));
    log_ = std::make_unique<RunLog>(std::move(log));
    return Status();
  }

  // Times a few steps of a throw-away bank each way; bfloat16 must win by a tenth to be worth its rounding.
  Status ChoosePrecision() {
    STRAIT_RETURN_IF_ERROR(source_->StartEpoch(0, 0));
    STRAIT_ASSIGN_OR_RETURN(const std::optional<FeatureBatch> batch, source_->Next());
    double seconds[2] = {0, 0};
    if (batch) {
      UnitBank probe(recipe_, network_.info.shape, true, tail_, device_);
      for (const bool bfloat16 : {false, true}) {
        for (int i = 0; i < 3; ++i) {
          const Clock::time_point start = Clock::now();
          probe.Step(*batch, 0, {.bfloat16 = bfloat16, .learning_rate = 1e-4});
          seconds[bfloat16] = Seconds(start);  // the last one counts, the first two warm up
        }
      }
    }
    const bool bfloat16 = seconds[1] < 0.9 * seconds[0];
    recipe_.train.precision = bfloat16 ? PrecisionKind::kBFloat16 : PrecisionKind::kFloat32;
    fmt::print(stderr, "precision: {} (a step takes {:.0f} ms in float32, {:.0f} ms in bfloat16)\n",
               bfloat16 ? "bfloat16" : "float32", 1e3 * seconds[0], 1e3 * seconds[1]);
    return Status();
  }

  double LearningRate() const {
    const double step = static_cast<double>(step_);
    const double warmup =
        recipe_.train.warmup_steps > 0 ? std::min(1.0, (step + 1) / recipe_.train.warmup_steps) : 1.0;
    return recipe_.train.learning_rate * warmup * 0.5 *
           (1 + std::cos(M_PI * step / static_cast<double>(total_steps_)));
  }

  double RateWeight() const {
    const double warmup = recipe_.train.rate_warmup * static_cast<double>(total_steps_);
    return static_cast<double>(step_) < warmup ? static_cast<double>(step_ + 1) / warmup : 1;
  }

  Status RunEpoch(int64_t epoch) {
    const Clock::time_point start = Clock::now();
    const bool rounded = static_cast<double>(epoch) >= (1 - recipe_.train.rounded) * recipe_.train.epochs;
    STRAIT_RETURN_IF_ERROR(source_->StartEpoch(epoch, step_ - epoch * steps_per_epoch_));
    Progress progress(fmt::format("epoch {}/{}", epoch + 1, recipe_.train.epochs), steps_per_epoch_,
                      step_ - epoch * steps_per_epoch_);
    double compute_seconds = 0;
    while (true) {
      STRAIT_ASSIGN_OR_RETURN(const std::optional<FeatureBatch> batch, source_->Next());
      if (!batch) break;
      // All randomness of a step follows from (seed, step): a resumed run needs no generator state.
      torch::manual_seed(recipe_.train.seed * 1000003 + static_cast<uint64_t>(step_));
      const int64_t first_level = torch::randint(bank_->levels(), {1}).item<int64_t>();
      const Clock::time_point step_start = Clock::now();
      const StepResult result = bank_->Step(*batch, first_level,
                                            {.rounded = rounded,
                                             .bfloat16 = recipe_.train.precision == PrecisionKind::kBFloat16,
                                             .learning_rate = LearningRate(),
                                             .rate_weight = RateWeight()});
      compute_seconds += Seconds(step_start);
      if (!std::isfinite(result.loss)) {
        return Error(StatusCode::kInvalidArgument, "training diverged at step ", step_,
                     " (loss is not finite); lower train.learning_rate");
      }
      ++step_;
      STRAIT_RETURN_IF_ERROR(Log(epoch, first_level, result));
      progress.Update(step_ - epoch * steps_per_epoch_,
                      fmt::format("loss {:.3f}, rate {:.0f}", result.loss, result.rate));
      if (Interrupted() || (options_.stop_after_steps > 0 && step_ >= options_.stop_after_steps)) {
        STRAIT_RETURN_IF_ERROR(Save());
        return Error(StatusCode::kIo, "interrupted at step ", step_, " of ", total_steps_,
                     "; continue with --resume --out ",
                     options_.whole_dir.empty() ? options_.out_dir : options_.whole_dir);
      }
    }
    progress.Finish();
    step_ = (epoch + 1) * steps_per_epoch_;
    const double train_seconds = Seconds(start);
    compute_seconds += source_->compute_seconds();
    STRAIT_RETURN_IF_ERROR(Save());  // what is learnt is safe before it is measured
    if (epoch + 1 == recipe_.train.epochs) return Status();
    return Validate(epoch, compute_seconds, train_seconds);
  }

  Status Log(int64_t epoch, int64_t first_level, const StepResult& result) {
    if (step_ % kStepsPerLogLine != 0) return Status();
    nlohmann::json line = {{"step", step_},       {"epoch", epoch},
                           {"loss", result.loss}, {"distortion", result.distortion},
                           {"rate", result.rate}, {"learning_rate", LearningRate()}};
    if (recipe_.unit.family == UnitFamily::kDatta2022) line["level"] = first_level;  // of the unit that learnt
    return log_->Write(line);
  }

  Status Save() {
    Checkpoint checkpoint;
    checkpoint.step = step_;
    checkpoint.backbone_hash = backbone_hash_;
    checkpoint.train_samples = train_data_.size();
    checkpoint.recipe_toml = ToToml(recipe_);
    checkpoint.tensors = bank_->Tensors();
    checkpoint.optimizer_state = bank_->SaveOptimizer();
    const Status status = SaveCheckpoint(Path("checkpoint.pt"), checkpoint);
    if (status.ok()) return status;
    return Error(status.code(), status.message(),
                 "; the checkpoint before it is intact: free space, then continue with --resume");
  }

  Provenance MakeProvenance() const { return {recipe_, backbone_hash_, network_.info}; }

  // Every epoch's figures come from real frames, of a part of the validation set.
  Status Validate(int64_t epoch, double compute_seconds, double train_seconds) {
    const Clock::time_point start = Clock::now();
    STRAIT_ASSIGN_OR_RETURN(const torch::Tensor calibration, source_->Calibration(kCalibrationSamples));
    const EvalSet part = TakeEvenly(eval_set_, recipe_.validation.samples);
    STRAIT_ASSIGN_OR_RETURN(const std::vector<RdPoint> points,
                            MeasureUnits(*bank_, calibration, MakeProvenance(), network_.tail, part));
    const nlohmann::json line = {{"step", step_},
                                 {"epoch", epoch},
                                 {"train_seconds", train_seconds},
                                 {"compute_share", compute_seconds / train_seconds},
                                 {"validation_seconds", Seconds(start)},
                                 {"validation", ToJson(points)}};
    std::string text = fmt::format(
        "epoch {}: {:.0f} s, {:.0f} % in forward and backward; bytes/{} of {} samples:", epoch + 1, train_seconds,
        100 * compute_seconds / train_seconds, AccuracyName(part.answers), part.labels.size(0));
    for (const RdPoint& point : points) text += fmt::format(" {:.0f}/{:.1f}", point.bytes_per_sample, point.top1);
    fmt::print(stderr, "{}\n", text);
    return log_->Write(line);
  }

  Status Finish() {
    if (HashConstants(network_.head) + HashConstants(network_.tail) != frozen_hash_) {
      return Error(StatusCode::kInternal, "training changed a weight of the frozen network; no model was written");
    }
    STRAIT_ASSIGN_OR_RETURN(const torch::Tensor calibration, source_->Calibration(kFinalCalibrationSamples));
    STRAIT_ASSIGN_OR_RETURN(
        const std::vector<RdPoint> points,
        WriteModels(*bank_, calibration, MakeProvenance(), network_.tail, eval_set_, options_.out_dir));
    STRAIT_RETURN_IF_ERROR(WriteTextAtomic(Path("recipe.toml"), ToToml(recipe_)));
    return log_->Write(
        {{"step", step_}, {"epoch", recipe_.train.epochs - 1}, {"final", true}, {"validation", ToJson(points)}});
  }

  Recipe recipe_;
  RunOptions options_;
  torch::Device device_{torch::kCPU};
  SplitNetwork network_;
  Tail tail_;
  std::string backbone_hash_, frozen_hash_;
  SourceData train_data_;
  std::unique_ptr<FeatureSource> source_;
  EvalSet eval_set_;
  std::unique_ptr<UnitBank> bank_;
  std::unique_ptr<RunLog> log_;
  Checkpoint checkpoint_;  // of a resumed run, until it is restored
  int64_t steps_per_epoch_ = 0;
  int64_t total_steps_ = 0;
  int64_t step_ = 0;
};

}  // namespace

Status RunTraining(const Recipe& recipe, const RunOptions& options) {
  return CatchTorch(StatusCode::kInternal, "training", [&] { return Trainer(recipe, options).Run(); });
}

}  // namespace strait
