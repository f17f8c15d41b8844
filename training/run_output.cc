#include "training/run_output.h"

#include <fmt/core.h>
#include <torch/version.h>

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "codec/file_io.h"
#include "strait/version.h"

namespace strait {
namespace {

constexpr double kUnmeasured = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kCheckSamples = 32;

std::string ProvenanceJson(const Provenance& provenance) {
  const nlohmann::json json = {
      {"strait_version", STRAIT_VERSION},
      {"libtorch_version", TORCH_VERSION},
      {"family", provenance.recipe.unit.family == UnitFamily::kStrait ? "strait" : "datta2022"},
      {"backbone", std::filesystem::path(provenance.recipe.backbone.file).filename().string()},
      {"backbone_hash", provenance.backbone_hash},
      {"split", provenance.split.name},
      {"head_macs", provenance.split.macs_before},
      {"tail_macs", provenance.split.macs_after},
      {"seed", provenance.recipe.train.seed},
      {"recipe", ToToml(provenance.recipe)},
  };
  return json.dump();
}

Result<std::shared_ptr<const Model>> Load(const ModelSpec& spec, std::vector<uint8_t>* bytes = nullptr) {
  STRAIT_ASSIGN_OR_RETURN(std::vector<uint8_t> serialized, SerializeModel(spec));
  STRAIT_ASSIGN_OR_RETURN(std::shared_ptr<const Model> model, Model::FromBytes(serialized));
  if (bytes != nullptr) *bytes = std::move(serialized);
  return model;
}

std::vector<LevelInfo> UnmeasuredLevels(const std::vector<double>& lambdas) {
  std::vector<LevelInfo> levels;
  for (const double lambda : lambdas) levels.push_back({lambda, kUnmeasured, kUnmeasured});
  return levels;
}

// A unit's levels through real frames. `first_level` numbers them in the curve of the whole run.
Result<std::vector<RdPoint>> Measure(const std::shared_ptr<const Model>& model, const torch::jit::Module& tail,
                                     const EvalSet& set, const std::string& codec, size_t first_level) {
  std::vector<RdPoint> points;
  for (size_t level = 0; level < model->levels().size(); ++level) {
    STRAIT_ASSIGN_OR_RETURN(RdPoint point, EvaluateQuality(model, tail, set, static_cast<double>(level)));
    point.codec = codec;
    point.level = std::to_string(first_level + level);
    points.push_back(std::move(point));
  }
  return points;
}

}  // namespace

EvalSet TakeEvenly(const EvalSet& set, int64_t count) {
  const int64_t size = set.labels.size(0);
  if (count <= 0 || count >= size) return set;
  const torch::Tensor rows = torch::arange(count, torch::kLong) * size / count;
  const torch::Tensor index = rows.to(torch::kLong);
  return {set.features.index_select(0, index), set.labels.index_select(0, index),
          set.answers.index_select(0, index)};
}

Result<std::vector<RdPoint>> MeasureUnits(const UnitBank& bank, const torch::Tensor& calibration,
                                          const Provenance& provenance, const torch::jit::Module& tail,
                                          const EvalSet& set) {
  std::vector<RdPoint> points;
  std::vector<BottleneckUnit> units = bank.Snapshot();
  for (size_t i = 0; i < units.size(); ++i) {
    const ExportOptions options = {.precision = provenance.recipe.export_.precision, .sets_per_level = 1};
    STRAIT_ASSIGN_OR_RETURN(const ModelSpec spec,
                            BuildModelSpec(units[i], UnmeasuredLevels(bank.LambdasOf(i)), calibration, options));
    STRAIT_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, Load(spec));
    STRAIT_ASSIGN_OR_RETURN(const std::vector<RdPoint> measured, Measure(model, tail, set, "", points.size()));
    points.insert(points.end(), measured.begin(), measured.end());
  }
  return points;
}

Result<std::vector<RdPoint>> WriteModels(const UnitBank& bank, const torch::Tensor& calibration,
                                         const Provenance& provenance, const torch::jit::Module& tail,
                                         const EvalSet& set, const std::string& out_dir) {
  std::filesystem::path folder = std::filesystem::absolute(out_dir).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // "runs/first/"
  const std::string codec = folder.filename().string();
  std::vector<BottleneckUnit> units = bank.Snapshot();
  std::vector<RdPoint> points;
  std::vector<std::pair<std::string, std::vector<uint8_t>>> files;
  for (size_t i = 0; i < units.size(); ++i) {
    const ExportOptions options = {.precision = provenance.recipe.export_.precision,
                                   .sets_per_level = provenance.recipe.export_.sets_per_level,
                                   .provenance_json = ProvenanceJson(provenance)};
    STRAIT_ASSIGN_OR_RETURN(ModelSpec spec,
                            BuildModelSpec(units[i], UnmeasuredLevels(bank.LambdasOf(i)), calibration, options));
    STRAIT_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, Load(spec));
    STRAIT_RETURN_IF_ERROR(CheckAgainstRuntime(units[i], model, TakeEvenly(set, kCheckSamples).features));
    STRAIT_ASSIGN_OR_RETURN(const std::vector<RdPoint> measured, Measure(model, tail, set, codec, points.size()));
    for (size_t level = 0; level < measured.size(); ++level) {
      spec.levels[level].bytes_per_sample = measured[level].bytes_per_sample;
      spec.levels[level].top1 = measured[level].top1;
    }
    points.insert(points.end(), measured.begin(), measured.end());
    std::vector<uint8_t> bytes;
    STRAIT_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> final_model, Load(spec, &bytes));
    const std::string name = units.size() == 1 ? "model.strait" : fmt::format("model-{}.strait", i);
    files.emplace_back(out_dir + "/" + name, std::move(bytes));
    fmt::print(
        stderr,
        "{}: {} of {} channels used; analysis {:.2f} M multiply-adds ({:.1f} % of the head's), {} parameters; "
        "synthesis {:.2f} M ({:.1f} % of the tail's), {}\n",
        name, spec.latent_channels(), provenance.recipe.unit.channels,
        1e-6 * static_cast<double>(final_model->analysis_macs()),
        100.0 * static_cast<double>(final_model->analysis_macs()) /
            static_cast<double>(provenance.split.macs_before),
        final_model->analysis_params(), 1e-6 * static_cast<double>(final_model->synthesis_macs()),
        100.0 * static_cast<double>(final_model->synthesis_macs()) /
            static_cast<double>(provenance.split.macs_after),
        final_model->synthesis_params());
  }
  for (const auto& [path, bytes] : files) STRAIT_RETURN_IF_ERROR(WriteFileAtomic(path, bytes));
  std::vector<RdPoint> rows = points;
  rows.insert(rows.begin(), UnsplitRow(set));
  STRAIT_RETURN_IF_ERROR(WriteTextAtomic(out_dir + "/rd.csv", ToCsv(rows)));
  for (const RdPoint& point : points) {
    fmt::print(stderr, "level {}: lambda {:g}, {:.1f} bytes, {} {:.2f} %, drop {:.2f}, agreement {:.2f} %\n",
               point.level, point.lambda, point.bytes_per_sample, AccuracyName(set.answers), point.top1,
               point.top1_drop, point.agreement);
  }
  return points;
}

}  // namespace strait
