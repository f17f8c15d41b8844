// Batches of the frozen head's features with the unsplit network's logits: cached in memory for a number of
// augmented views, or computed afresh each epoch.
#pragma once

#include <torch/script.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "strait/result.h"
#include "training/backbone.h"
#include "training/evaluate.h"
#include "training/recipe.h"
#include "training/source_data.h"
#include "training/tail.h"

namespace strait {

struct FeatureBatch {
  torch::Tensor features;  // [N, ...] float32
  torch::Tensor logits;    // [N, ...] float32, of the unsplit network
  torch::Tensor labels;    // [N] or [N, H, W] int64; where the data has none, the answers of the logits
  std::vector<torch::Tensor> stages =
      {};  // features of the tail's stages (training/tail.h) where the loss compares them
};

class FeatureSource {
 public:
  virtual ~FeatureSource() = default;
  // Batches of an epoch; fewer come when corrupt images were skipped.
  virtual int64_t batches_per_epoch() const = 0;
  // Begins an epoch after its first `skip` batches. What comes depends on (seed, epoch, skip) alone.
  virtual Status StartEpoch(int64_t epoch, int64_t skip) = 0;
  // nullopt at the end of the epoch.
  virtual Result<std::optional<FeatureBatch>> Next() = 0;
  // Spent in the frozen head and tail since StartEpoch: 0 where their results are cached.
  virtual double compute_seconds() const { return 0; }
  // Features of up to `samples` training samples, float32 on the CPU: what the CDF tables are fitted to.
  virtual Result<torch::Tensor> Calibration(int64_t samples) = 0;
};

// Cached (features kept as float16) when recipe.data.views > 0 and for feature arrays, else streaming. `data` must
// outlive the source.
Result<std::unique_ptr<FeatureSource>> MakeFeatureSource(const Recipe& recipe, const SourceData& data,
                                                         const SplitNetwork& network, const Tail& tail,
                                                         const torch::Device& device);

struct ValidationFeatures {
  EvalSet set;                  // on the CPU; without labels, the unsplit network's answers stand for them
  bool has_labels = false;      // of the data's own
  std::vector<size_t> indices;  // row i is sample indices[i] of the data: corrupt images are skipped
};

// Features, labels and answers without augmentation.
Result<ValidationFeatures> BuildEvalSet(const Recipe& recipe, const SourceData& data, const SplitNetwork& network,
                                        const Tail& tail, const torch::Device& device);

}  // namespace strait
