#include "training/feature_source.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <numeric>

#include "datasets/loader.h"
#include "entropy/error.h"
#include "training/feature_cache.h"
#include "training/interrupt.h"
#include "training/labelled_batch.h"
#include "training/run_log.h"
#include "training/torch_shape.h"

namespace strait {
namespace {

// Head and tail on the device that computes features.
class FrozenNetwork {
 public:
  FrozenNetwork(const SplitNetwork& network, const Tail& tail, const torch::Device& device)
      : head_(device.is_cpu() ? network.head : ToDevice(network.head, device)), tail_(tail), device_(device) {}

  // Labels stay undefined where the data has none.
  Result<FeatureBatch> Run(const Batch& batch) {
    torch::NoGradGuard no_grad;
    FeatureBatch result = RunTail(head_.forward({PixelsOf(batch).to(device_)}).toTensor());
    STRAIT_ASSIGN_OR_RETURN(result.labels, LabelsOf(batch, result.logits));
    return result;
  }

  FeatureBatch RunTail(const torch::Tensor& features) {
    torch::NoGradGuard no_grad;
    const torch::Tensor on_device = features.to(device_);
    const Tail::Output output = tail_.Run(on_device);
    return {on_device, output.logits, torch::Tensor(), output.stages};
  }

 private:
  torch::jit::Module head_;
  const Tail& tail_;
  torch::Device device_;
};

void ReportSkipped(const Loader& loader, const Dataset& dataset) {
  for (const std::string& line : loader.skipped()) fmt::print(stderr, "skipped {}\n", line);
  if (!loader.skipped().empty())
    fmt::print(stderr, "skipped {} of {} images\n", loader.skipped().size(), dataset.size());
}

Status InterruptedError() {
  return Error(StatusCode::kIo, "interrupted before the first step; nothing was written");
}

// Where the data has no labels, the network's own answers stand for them.
torch::Tensor LabelsOrAnswers(const FeatureBatch& batch) {
  return batch.labels.defined() ? batch.labels : AnswersOf(batch.logits);
}

LoaderOptions SequentialOptions(const Recipe& recipe) {
  return {.batch_size = recipe.train.batch_size,
          .shuffle = false,
          .drop_last = false,
          .seed = recipe.data.seed,
          .threads = recipe.data.threads};
}

// Hands every batch of the data, through head (where there are images) and tail, to `sink`, with its samples'
// indices.
template <typename Sink>
Status ForEachBatch(const SourceData& data, const Preprocess& preprocess, const LoaderOptions& options,
                    uint64_t epoch, FrozenNetwork& network, const Sink& sink) {
  if (!data.images) {
    for (int64_t first = 0; first < data.size(); first += options.batch_size) {
      const int64_t end = std::min<int64_t>(first + options.batch_size, data.size());
      std::vector<size_t> indices(static_cast<size_t>(end - first));
      std::iota(indices.begin(), indices.end(), static_cast<size_t>(first));
      FeatureBatch batch = network.RunTail(data.features.slice(0, first, end));
      if (data.labels.defined()) {
        batch.labels = data.labels.slice(0, first, end);
        if (batch.logits.dim() != 2) {
          return Error(StatusCode::kInvalidArgument, "labels.npy holds a label a sample, the network answers ",
                       ToString(ShapeOf(batch.logits)),
                       "; take the file away to compare with the network's own answers");
        }
        STRAIT_RETURN_IF_ERROR(CheckClasses(batch.labels, batch.logits, "labels.npy"));
      }
      sink(batch, indices);
    }
    return Status();
  }
  Loader loader(*data.images, preprocess, options, epoch);
  while (true) {
    STRAIT_ASSIGN_OR_RETURN(std::optional<Batch> batch, loader.Next());
    if (!batch) break;
    if (Interrupted()) return InterruptedError();
    STRAIT_ASSIGN_OR_RETURN(const FeatureBatch features, network.Run(*batch));
    sink(features, batch->indices);
  }
  if (epoch == 0) ReportSkipped(loader, *data.images);
  return Status();
}

// A data set's folder by the one name that it has from everywhere.
std::string AbsoluteSpec(const std::string& spec) {
  const size_t path = spec.find(':') + 1;  // 0 where there is none
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::canonical(spec.substr(path), error);
  return path == 0 || error ? spec : spec.substr(0, path) + folder.string();
}

// What cached features depend on. Files that change under the same name and number are not noticed.
std::string DescribeFeatures(const Recipe& recipe, const SourceData& data, const SplitNetwork& network, int views,
                             bool has_stages) {
  const Preprocess& p = recipe.data.preprocess;
  return fmt::format(
      "{}, {} samples, {} views, seed {}; resize {}, crop {}, mean {}, std {}, augment {}, min_area {}, flip {}; "
      "split {} {}, head {}, tail {}{}",
      AbsoluteSpec(recipe.data.spec), data.size(), views, recipe.data.seed, p.resize, p.crop,
      fmt::join(p.mean, " "), fmt::join(p.std, " "), p.augment, p.min_area, p.flip, network.info.name,
      ToString(network.info.shape), HashConstants(network.head), HashConstants(network.tail),
      has_stages ? ", with stages" : "");
}

class CachedSource : public FeatureSource {
 public:
  static Result<std::unique_ptr<FeatureSource>> Create(const Recipe& recipe, const SourceData& data,
                                                       const SplitNetwork& network, const Tail& tail,
                                                       const torch::Device& device) {
    const int views = data.images && recipe.data.preprocess.augment ? recipe.data.views : 1;
    auto source =
        std::make_unique<CachedSource>(recipe, DescribeFeatures(recipe, data, network, views, tail.tapped()));
    FeatureTable& table = source->table_;
    STRAIT_ASSIGN_OR_RETURN(const bool is_kept, source->cache_.Load(table));
    if (is_kept) {
      fmt::print(stderr, "features come from {}\n", source->cache_.path());
      return Result<std::unique_ptr<FeatureSource>>(std::move(source));
    }
    table.views = views;
    table.stride = data.size();
    FrozenNetwork frozen(network, tail, device);
    Progress progress("caching features", data.size() * views);
    for (int view = 0; view < views; ++view) {
      const int64_t begin = data.size() * view;
      int64_t row = begin;
      Status failure;
      STRAIT_RETURN_IF_ERROR(ForEachBatch(data, recipe.data.preprocess, SequentialOptions(recipe), view, frozen,
                                          [&](const FeatureBatch& batch, const auto&) {
                                            if (failure.ok()) failure = source->Store(batch, row);
                                            row += batch.features.size(0);
                                            progress.Update(row, "");
                                          }));
      STRAIT_RETURN_IF_ERROR(failure);
      table.samples = row - begin;  // the same images are skipped in every view
    }
    progress.Finish();
    if (table.samples == 0)
      return Error(StatusCode::kInvalidArgument, "data set ", recipe.data.spec,
                   ": no training image could be read");
    STRAIT_RETURN_IF_ERROR(source->cache_.Commit(table));
    return Result<std::unique_ptr<FeatureSource>>(std::move(source));
  }

  CachedSource(const Recipe& recipe, const std::string& description)
      : batch_size_(recipe.train.batch_size), seed_(recipe.train.seed), cache_(recipe.data.cache, description) {}

  int64_t batches_per_epoch() const override { return std::max<int64_t>(1, table_.samples / batch_size_); }

  Status StartEpoch(int64_t epoch, int64_t skip) override {
    at::Generator generator =
        at::make_generator<at::CPUGeneratorImpl>(seed_ * 1000003 + static_cast<uint64_t>(epoch));
    const torch::Tensor order = torch::randperm(table_.samples, generator, torch::kLong);
    const torch::Tensor view = torch::randint(0, table_.views, {table_.samples}, generator, torch::kLong);
    rows_ = order + view * table_.stride;
    next_ = skip;
    return Status();
  }

  Result<std::optional<FeatureBatch>> Next() override {
    if (next_ >= batches_per_epoch()) return std::optional<FeatureBatch>();
    const int64_t first = next_++ * batch_size_;
    const torch::Tensor rows = rows_.slice(0, first, std::min(first + batch_size_, table_.samples));
    FeatureBatch batch{table_.features.index_select(0, rows).to(torch::kFloat),
                       table_.logits.index_select(0, rows),
                       table_.labels.index_select(0, rows),
                       {}};
    for (const torch::Tensor& stage : table_.stages)
      batch.stages.push_back(stage.index_select(0, rows).to(torch::kFloat));
    return std::optional<FeatureBatch>(std::move(batch));
  }

  Result<torch::Tensor> Calibration(int64_t samples) override {
    // Evenly spread over the training set (folders are read class by class) and over the views.
    const int64_t count = std::min(samples, table_.samples);
    std::vector<int64_t> rows;
    for (int64_t i = 0; i < count; ++i)
      rows.push_back(i * table_.samples / count + (i % table_.views) * table_.stride);
    return table_.features.index_select(0, torch::tensor(rows, torch::kLong)).to(torch::kFloat);
  }

 private:
  Status Store(const FeatureBatch& batch, int64_t row) {
    const torch::Tensor labels = LabelsOrAnswers(batch);
    if (!table_.features.defined())
      STRAIT_RETURN_IF_ERROR(cache_.Allocate(batch.features, batch.logits, labels, batch.stages, table_));
    const int64_t rows = batch.features.size(0);
    table_.features.narrow(0, row, rows).copy_(batch.features);
    table_.logits.narrow(0, row, rows).copy_(batch.logits);
    table_.labels.narrow(0, row, rows).copy_(labels);
    for (size_t i = 0; i < batch.stages.size(); ++i) table_.stages[i].narrow(0, row, rows).copy_(batch.stages[i]);
    return Status();
  }

  int64_t batch_size_;
  uint64_t seed_;
  FeatureCache cache_;
  FeatureTable table_;
  torch::Tensor rows_;
  int64_t next_ = 0;
};

class StreamingSource : public FeatureSource {
 public:
  StreamingSource(const Recipe& recipe, const Dataset& dataset, const SplitNetwork& network, const Tail& tail,
                  const torch::Device& device)
      : recipe_(recipe), dataset_(dataset), network_(network, tail, device) {}

  int64_t batches_per_epoch() const override {
    return std::max<int64_t>(1, static_cast<int64_t>(dataset_.size()) / recipe_.train.batch_size);
  }

  Status StartEpoch(int64_t epoch, int64_t skip) override {
    LoaderOptions options = SequentialOptions(recipe_);
    options.shuffle = true;
    loader_ = std::make_unique<Loader>(dataset_, recipe_.data.preprocess, options, static_cast<uint64_t>(epoch));
    first_epoch_ = epoch == 0;
    compute_seconds_ = 0;
    taken_ = 0;
    while (taken_ < skip) {
      STRAIT_ASSIGN_OR_RETURN(const std::optional<Batch> batch, loader_->Next());
      if (!batch) break;
      ++taken_;
    }
    return Status();
  }

  Result<std::optional<FeatureBatch>> Next() override {
    if (taken_ >= batches_per_epoch()) return std::optional<FeatureBatch>();
    STRAIT_ASSIGN_OR_RETURN(const std::optional<Batch> batch, loader_->Next());
    if (!batch) {
      if (first_epoch_) ReportSkipped(*loader_, dataset_);
      return std::optional<FeatureBatch>();
    }
    ++taken_;
    const auto start = std::chrono::steady_clock::now();
    STRAIT_ASSIGN_OR_RETURN(FeatureBatch features, network_.Run(*batch));
    features.labels = LabelsOrAnswers(features);
    compute_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return std::optional<FeatureBatch>(std::move(features));
  }

  double compute_seconds() const override { return compute_seconds_; }

  Result<torch::Tensor> Calibration(int64_t samples) override {
    const int64_t want = std::min(samples, static_cast<int64_t>(dataset_.size()));
    if (!calibration_.defined() || (calibration_.size(0) < want && !calibration_complete_)) {
      LoaderOptions options = SequentialOptions(recipe_);
      options.shuffle = true;
      Loader loader(dataset_, recipe_.data.preprocess, options, /*epoch=*/0);
      std::vector<torch::Tensor> parts;
      int64_t count = 0;
      while (count < samples) {
        STRAIT_ASSIGN_OR_RETURN(const std::optional<Batch> batch, loader.Next());
        if (!batch) break;
        STRAIT_ASSIGN_OR_RETURN(const FeatureBatch part, network_.Run(*batch));
        parts.push_back(part.features.cpu());
        count += batch->size;
      }
      if (count == 0)
        return Error(StatusCode::kInvalidArgument, "data set ", recipe_.data.spec,
                     ": no training image could be read");
      calibration_ = torch::cat(parts);
      calibration_complete_ = count < samples;
    }
    return calibration_.slice(0, 0, samples);
  }

 private:
  Recipe recipe_;
  const Dataset& dataset_;
  FrozenNetwork network_;
  std::unique_ptr<Loader> loader_;
  torch::Tensor calibration_;
  bool calibration_complete_ = false;  // it holds every image that can be read
  int64_t taken_ = 0;
  bool first_epoch_ = false;
  double compute_seconds_ = 0;
};

}  // namespace

Result<std::unique_ptr<FeatureSource>> MakeFeatureSource(const Recipe& recipe, const SourceData& data,
                                                         const SplitNetwork& network, const Tail& tail,
                                                         const torch::Device& device) {
  if (recipe.data.views > 0 || !data.images) return CachedSource::Create(recipe, data, network, tail, device);
  return std::unique_ptr<FeatureSource>(
      std::make_unique<StreamingSource>(recipe, *data.images, network, tail, device));
}

Result<ValidationFeatures> BuildEvalSet(const Recipe& recipe, const SourceData& data, const SplitNetwork& network,
                                        const Tail& tail, const torch::Device& device) {
  Preprocess preprocess = recipe.data.preprocess;
  preprocess.augment = false;
  FrozenNetwork frozen(network, tail, device);
  Progress progress("unsplit network", data.size());
  ValidationFeatures validation;
  std::vector<torch::Tensor> features, answers, labels;
  const auto sink = [&](const FeatureBatch& batch, const std::vector<size_t>& indices) {
    features.push_back(batch.features.cpu().contiguous());
    answers.push_back(AnswersOf(batch.logits));
    labels.push_back(LabelsOrAnswers(batch));
    validation.has_labels = batch.labels.defined();
    validation.indices.insert(validation.indices.end(), indices.begin(), indices.end());
    progress.Update(static_cast<int64_t>(validation.indices.size()), "");
  };
  STRAIT_RETURN_IF_ERROR(ForEachBatch(data, preprocess, SequentialOptions(recipe), 0, frozen, sink));
  progress.Finish();
  if (features.empty())
    return Error(StatusCode::kInvalidArgument, "data set ", recipe.data.spec,
                 ": no validation image could be read");
  validation.set = {torch::cat(features), torch::cat(labels), torch::cat(answers)};
  return validation;
}

}  // namespace strait
