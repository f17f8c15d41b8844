#include "training/unit_bank.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "entropy/error.h"
#include "training/autocast.h"
#include "training/rd_loss.h"

namespace strait {
namespace {

// Gains and the prior's parameters live on a logarithmic scale and must travel far: they learn faster than weights.
constexpr double kScaleLearningRateFactor = 5;

}  // namespace

UnitBank::UnitBank(const Recipe& recipe, const Shape& feature_shape, bool rectified, Tail tail,
                   torch::Device device)
    : recipe_(recipe),
      feature_shape_(feature_shape),
      rectified_(rectified),
      tail_(std::move(tail)),
      device_(device),
      lambdas_(recipe.loss.lambdas) {
  std::sort(lambdas_.begin(), lambdas_.end(), std::greater<>());
  const bool shared = recipe.unit.family == UnitFamily::kStrait;
  const double balance = shared ? recipe.loss.level_balance : 0;
  for (const double lambda : lambdas_) level_weights_.push_back(std::pow(lambdas_.back() / lambda, balance));
  const double sum = std::accumulate(level_weights_.begin(), level_weights_.end(), 0.0);
  for (double& weight : level_weights_) weight *= static_cast<double>(lambdas_.size()) / sum;
  torch::manual_seed(recipe.train.seed);
  std::vector<torch::Tensor> transforms, scales;
  for (int64_t i = 0; i < (shared ? 1 : levels()); ++i) {
    BottleneckUnit unit(recipe.unit, feature_shape, shared ? levels() : 1, rectified);
    unit->to(device_);
    for (torch::Tensor& t : unit->TransformParameters()) transforms.push_back(t);
    for (torch::Tensor& t : unit->ScaleParameters()) scales.push_back(t);
    units_.push_back(std::move(unit));
  }
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(transforms);
  if (!scales.empty()) groups.emplace_back(scales);
  optimizer_ = std::make_unique<torch::optim::Adam>(groups, torch::optim::AdamOptions(recipe.train.learning_rate));
}

std::vector<double> UnitBank::LambdasOf(size_t index) const {
  return units_.size() == 1 ? lambdas_ : std::vector<double>{lambdas_[index]};
}

void UnitBank::Initialize(const torch::Tensor& features) {
  for (size_t i = 0; i < units_.size(); ++i) units_[i]->Initialize(features.to(device_), LambdasOf(i));
}

StepResult UnitBank::Step(const FeatureBatch& batch, int64_t first_level, const StepOptions& options) {
  const torch::Tensor features = batch.features.to(device_);
  auto& groups = optimizer_->param_groups();
  for (size_t g = 0; g < groups.size(); ++g) {
    static_cast<torch::optim::AdamOptions&>(groups[g].options())
        .lr(options.learning_rate * (g == 1 ? kScaleLearningRateFactor : 1.0));
  }
  const bool shared = units_.size() == 1;
  BottleneckUnit& unit = units_[shared ? 0 : static_cast<size_t>(first_level)];
  unit->train();
  for (const auto& group : groups) {  // no gradient at all, so that Adam leaves levels and units not sampled alone
    for (const torch::Tensor& parameter : group.params()) parameter.mutable_grad() = torch::Tensor();
  }

  torch::Tensor loss, distortion, rate;
  {
    const AutocastScope autocast(options.bfloat16, device_.is_cuda());
    const BottleneckUnitImpl::Output out = unit->Forward(features, shared ? first_level : 0, options.rounded);
    Tail::Output tail;
    if (recipe_.loss.kind != LossKind::kFeature) tail = tail_.Run(out.restored);
    std::vector<torch::Tensor> reference_stages;
    for (const torch::Tensor& stage : batch.stages) reference_stages.push_back(stage.to(device_));
    distortion = Distortion(
        recipe_.loss, {out.restored, features, tail.logits, batch.logits.to(device_), batch.labels.to(device_),
                       tail.stages, reference_stages, SampleWeights(features.size(0), first_level)});
    loss = distortion;
    rate = torch::zeros_like(out.rates[0].rate);
    for (const BottleneckUnitImpl::LevelRate& part : out.rates) {
      const auto level = static_cast<size_t>(shared ? part.level : first_level);
      loss = loss + options.rate_weight * level_weights_[level] * lambdas_[level] * part.share * part.rate;
      rate = rate + part.share * part.rate.detach();
    }
  }
  loss.backward();
  if (recipe_.train.grad_clip > 0) torch::nn::utils::clip_grad_norm_(unit->parameters(), recipe_.train.grad_clip);
  optimizer_->step();
  const torch::Tensor values =
      torch::stack({loss.detach(), distortion.detach(), rate.detach()}).cpu().to(torch::kDouble);
  return {values[0].item<double>(), values[1].item<double>(), values[2].item<double>()};
}

torch::Tensor UnitBank::SampleWeights(int64_t samples, int64_t first_level) const {
  std::vector<float> weights;
  for (int64_t i = 0; i < samples; ++i)
    weights.push_back(static_cast<float>(level_weights_[static_cast<size_t>((first_level + i) % levels())]));
  return torch::tensor(weights).to(device_);
}

std::vector<BottleneckUnit> UnitBank::Snapshot() const {
  torch::NoGradGuard no_grad;
  std::vector<BottleneckUnit> copies;
  for (const BottleneckUnit& unit : units_) {
    BottleneckUnit copy(recipe_.unit, feature_shape_, unit->levels(), rectified_);
    auto copy_from = [](auto to, const auto& from) {
      for (auto& item : to) item.value().copy_(from[item.key()]);
    };
    copy_from(copy->named_parameters(), unit->named_parameters());
    copy_from(copy->named_buffers(), unit->named_buffers());
    copy->eval();
    copies.push_back(std::move(copy));
  }
  return copies;
}

std::map<std::string, torch::Tensor> UnitBank::Tensors() const {
  std::map<std::string, torch::Tensor> tensors;
  for (size_t i = 0; i < units_.size(); ++i) {
    const std::string prefix = "unit" + std::to_string(i) + ".";
    for (const auto& item : units_[i]->named_parameters())
      tensors[prefix + item.key()] = item.value().detach().cpu().clone();
    for (const auto& item : units_[i]->named_buffers())
      tensors[prefix + item.key()] = item.value().detach().cpu().clone();
  }
  return tensors;
}

Status UnitBank::LoadTensors(const std::map<std::string, torch::Tensor>& tensors) {
  torch::NoGradGuard no_grad;
  for (size_t i = 0; i < units_.size(); ++i) {
    const std::string prefix = "unit" + std::to_string(i) + ".";
    for (auto items : {units_[i]->named_parameters(), units_[i]->named_buffers()}) {
      for (auto& item : items) {
        const auto found = tensors.find(prefix + item.key());
        if (found == tensors.end() || found->second.sizes() != item.value().sizes()) {
          return Error(StatusCode::kCorrupt, "checkpoint: no tensor ", prefix + item.key(),
                       " of the recipe's shape");
        }
        item.value().copy_(found->second);
      }
    }
  }
  return Status();
}

std::string UnitBank::SaveOptimizer() const {
  std::ostringstream stream;
  torch::save(*optimizer_, stream);
  return std::move(stream).str();
}

Status UnitBank::LoadOptimizer(const std::string& bytes) {
  try {
    std::istringstream stream(bytes);
    torch::load(*optimizer_, stream);
  } catch (const std::exception&) {
    return Error(StatusCode::kCorrupt, "checkpoint: optimiser state cannot be read");
  }
  return Status();
}

}  // namespace strait
