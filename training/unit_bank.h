// The units of a run and which of them serves a level: one for all (strait) or one each (datta2022); with the
// optimiser over them and one training step.
#pragma once

#include <torch/torch.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "training/bottleneck_unit.h"
#include "training/feature_source.h"
#include "training/recipe.h"

namespace strait {

struct StepResult {
  double loss = 0;        // with the weights of levels
  double distortion = 0;  // with the weights of levels
  double rate = 0;        // mean bits of a sample under the prior (strait), l1 norm of its latent (datta2022)
};

class UnitBank {
 public:
  // `tail` is the frozen tail on `device` (Tail::Create), tapped where the loss compares its stages.
  // recipe.loss.lambdas may have any order; levels run from the largest.
  UnitBank(const Recipe& recipe, const Shape& feature_shape, bool rectified, Tail tail, torch::Device device);

  // Sets gains and priors from a first batch of features.
  void Initialize(const torch::Tensor& features);

  int64_t levels() const { return static_cast<int64_t>(lambdas_.size()); }
  // Lambdas of one unit's levels.
  std::vector<double> LambdasOf(size_t index) const;

  struct StepOptions {
    bool rounded = false;  // see BottleneckUnitImpl::Forward
    bool bfloat16 = false;
    double learning_rate = 1e-3;
    double rate_weight = 1;  // factor of lambda
  };
  // One optimiser step on a batch; draws noise from the default generator, so seed it before. One unit for all
  // levels learns as many as there are samples, sample i at level (first_level + i) mod levels(), the mean over
  // samples of (distortion + lambda * rate) by the level's weight: a step at one level would pull what they share
  // this way and the next one that way.
  // Of units of a level each, that of first_level learns.
  StepResult Step(const FeatureBatch& batch, int64_t first_level, const StepOptions& options);

  // Copies of all units on the CPU in eval mode, for export and validation.
  std::vector<BottleneckUnit> Snapshot() const;

  // Parameters, buffers and optimiser, for checkpoints.
  std::map<std::string, torch::Tensor> Tensors() const;
  Status LoadTensors(const std::map<std::string, torch::Tensor>& tensors);
  std::string SaveOptimizer() const;
  Status LoadOptimizer(const std::string& bytes);

 private:
  // [samples], of the levels at which Step trains them.
  torch::Tensor SampleWeights(int64_t samples, int64_t first_level) const;

  Recipe recipe_;
  Shape feature_shape_;
  bool rectified_;
  Tail tail_;
  torch::Device device_;
  std::vector<double> lambdas_;
  std::vector<double> level_weights_;  // 1 on average; units of a level each: all 1
  std::vector<BottleneckUnit> units_;
  std::unique_ptr<torch::optim::Adam> optimizer_;
};

}  // namespace strait
