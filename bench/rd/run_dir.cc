#include "bench/rd/run_dir.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "bench/rd/huffman.h"
#include "entropy/error.h"
#include "training/run_log.h"
#include "training/run_models.h"

namespace strait {
namespace {

namespace fs = std::filesystem;

bool SamePreprocess(const Preprocess& a, const Preprocess& b) {
  return a.crop == b.crop && a.resize == b.resize && std::equal(a.mean, a.mean + 3, b.mean) &&
         std::equal(a.std, a.std + 3, b.std);
}

// Mean over samples of what `bytes_of` says of each.
template <typename BytesOf>
Result<double> MeanBytes(const Model& model, const EvalSet& set, const BytesOf& bytes_of) {
  const Shape shape = WithBatch(1, model.feature_shape());
  size_t total = 0;
  const int64_t samples = set.features.size(0);
  for (int64_t i = 0; i < samples; ++i) {
    const torch::Tensor src = set.features.narrow(0, i, 1).to(torch::kFloat).contiguous();
    STRAIT_ASSIGN_OR_RETURN(const size_t bytes, bytes_of(TensorView{src.data_ptr<float>(), shape}));
    total += bytes;
  }
  return static_cast<double>(total) / static_cast<double>(samples);
}

// Mean size of frames with checksum; the symbols, and so the restored tensors, are those without.
Result<double> MeanBytesWithChecksum(const std::shared_ptr<const Model>& model, const EvalSet& set,
                                     double quality) {
  Encoder encoder(model);
  std::vector<uint8_t> frame;
  return MeanBytes(*model, set, [&](const TensorView& src) -> Result<size_t> {
    STRAIT_RETURN_IF_ERROR(encoder.Encode(src, {.quality = quality, .checksum = true}, frame));
    return frame.size();
  });
}

// Mean size under one Huffman table, with the header of a Strait frame.
Result<double> MeanHuffmanBytes(const std::shared_ptr<const Model>& model, const EvalSet& set, int level) {
  constexpr size_t kHeaderBytes = 2;
  STRAIT_ASSIGN_OR_RETURN(const HuffmanCode code, HuffmanCode::OfLevel(*model, level));
  Encoder encoder(model);
  std::vector<int16_t> symbols;
  return MeanBytes(*model, set, [&](const TensorView& src) -> Result<size_t> {
    STRAIT_RETURN_IF_ERROR(encoder.Quantize(src, level, symbols));
    return kHeaderBytes + code.Bytes(symbols);
  });
}

Result<RdPoint> EvaluatePoint(const std::shared_ptr<const Model>& model, const EvalData& data, double quality,
                              bool checksum) {
  STRAIT_ASSIGN_OR_RETURN(RdPoint point, EvaluateQuality(model, data.network.tail, data.set, quality));
  if (!checksum) return point;
  STRAIT_ASSIGN_OR_RETURN(const double bytes, MeanBytesWithChecksum(model, data.set, quality));
  point.bits_per_element *= bytes / point.bytes_per_sample;
  point.bytes_per_sample = bytes;
  return point;
}

std::string Share(int64_t part, int64_t whole) {
  return whole > 0 ? fmt::format("{:.2f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole)) : "-";
}

std::string NameOf(const std::string& path) {
  std::error_code error;
  const fs::path normal = fs::absolute(path, error).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).filename().string();
}

}  // namespace

Result<std::vector<RunDir>> OpenRunDir(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    return Error(StatusCode::kIo, path, ": no such directory; give what `strait-train run --out` wrote");
  }
  STRAIT_ASSIGN_OR_RETURN(const std::vector<SplitModels> units, FindSplitModels(path));
  std::vector<RunDir> runs;
  for (const SplitModels& unit : units) {
    RunDir run;
    const fs::path folder = fs::path(unit.files.front()).parent_path();
    run.path = folder.string();
    run.codec = NameOf(path) + (fs::equivalent(folder, path, error) ? "" : "/" + unit.split);
    run.model_files = unit.files;
    STRAIT_ASSIGN_OR_RETURN(run.recipe, LoadRecipe(run.path + "/recipe.toml", {}));
    STRAIT_RETURN_IF_ERROR(RequireForRun(run.recipe));
    STRAIT_ASSIGN_OR_RETURN(run.models, LoadModels(run.model_files));
    runs.push_back(std::move(run));
  }
  return runs;
}

Status CheckSameSetting(const RunDir& first, const RunDir& other, bool data_given) {
  const auto differ = [&](const char* what, const std::string& a, const std::string& b) {
    return Error(StatusCode::kInvalidArgument, other.path, ": ", what, " is ", b, ", but ", a, " in ", first.path,
                 "; measure them apart");
  };
  const Recipe &a = first.recipe, &b = other.recipe;
  if (!data_given && a.data.spec != b.data.spec) return differ("data.spec", a.data.spec, b.data.spec);
  if (a.backbone.input != b.backbone.input) {
    return differ("backbone.input", ToString(a.backbone.input), ToString(b.backbone.input));
  }
  if (!SamePreprocess(a.data.preprocess, b.data.preprocess)) {
    const auto text = [](const Preprocess& p) {
      return fmt::format("resize {} crop {} mean {} {} {} std {} {} {}", p.resize, p.crop, p.mean[0], p.mean[1],
                         p.mean[2], p.std[0], p.std[1], p.std[2]);
    };
    return differ("preprocessing", text(a.data.preprocess), text(b.data.preprocess));
  }
  return {};
}

Status CheckModels(const RunDir& run, const EvalData& data) {
  for (size_t k = 0; k < run.models.size(); ++k) {
    const std::string hash = BackboneHashOf(*run.models[k]);
    if (hash != data.backbone.hash()) {
      return Error(StatusCode::kModelMismatch, run.model_files[k], ": trained with backbone ",
                   hash.empty() ? "(not recorded)" : hash, ", but ", data.backbone_file,
                   ", which all are measured with, is ", data.backbone.hash(),
                   "; give the right one with --backbone, or measure units of two networks apart");
    }
    if (run.models[k]->feature_shape() != data.network.info.shape) {
      return Error(StatusCode::kModelMismatch, run.model_files[k], ": restores ",
                   ToString(run.models[k]->feature_shape()), ", but split ", data.network.info.name, " is ",
                   ToString(data.network.info.shape));
    }
  }
  return {};
}

Result<std::vector<RdPoint>> EvaluateRun(const RunDir& run, const EvalData& data, const RunMeasure& measure) {
  constexpr int kBetween = 4;  // quarter levels: exact in a frame's sixteenths
  const int steps = measure.between_levels ? kBetween : 1;
  int64_t total = 0, done = 0;
  for (const auto& model : run.models) total += static_cast<int64_t>(model->levels().size() - 1) * steps + 1;
  std::vector<RdPoint> rows, huffman_rows;
  Progress progress(run.codec, total);
  for (size_t m = 0; m < run.models.size(); ++m) {
    const size_t last = (run.models[m]->levels().size() - 1) * static_cast<size_t>(steps);
    for (size_t k = 0; k <= last; ++k) {
      const double quality = static_cast<double>(k) / steps;
      STRAIT_ASSIGN_OR_RETURN(RdPoint row, EvaluatePoint(run.models[m], data, quality, measure.checksum));
      row.codec = run.codec;
      if (run.models.size() > 1) row.level = std::to_string(m);
      progress.Update(++done, fmt::format("{:.1f} bytes, {:.2f} %", row.bytes_per_sample, row.top1));
      const bool at_level = k % static_cast<size_t>(steps) == 0;
      if (measure.huffman && at_level && HuffmanCode::Fits(*run.models[m])) {
        RdPoint other = row;
        other.codec = HuffmanName(row.codec);
        STRAIT_ASSIGN_OR_RETURN(other.bytes_per_sample,
                                MeanHuffmanBytes(run.models[m], data.set, static_cast<int>(quality)));
        other.bits_per_element *= other.bytes_per_sample / row.bytes_per_sample;
        huffman_rows.push_back(std::move(other));
      }
      rows.push_back(std::move(row));
    }
  }
  progress.Finish();
  rows.insert(rows.end(), huffman_rows.begin(), huffman_rows.end());
  return rows;
}

std::string CostTable(const std::vector<RunDir>& runs, const EvalDataOfSplits& data) {
  size_t width = 4;
  for (const RunDir& run : runs) width = std::max(width, run.codec.size());
  std::string text = fmt::format("{:<{}}  {:<9}  {:>13}  {:>10}  {:>10}  {:>10}\n", "unit", width, "half",
                                 "multiply-adds", "of network", "parameters", "of network");
  const auto line = [&](const std::string& name, const char* half, int64_t macs, int64_t net_macs, int64_t params,
                        int64_t net_params) {
    text += fmt::format("{:<{}}  {:<9}  {:>13}  {:>10}  {:>10}  {:>10}\n", name, width, half, macs,
                        Share(macs, net_macs), params, Share(params, net_params));
  };
  for (const RunDir& run : runs) {
    const Model& model = *run.models.front();
    const SplitInfo& split = data.at(run.recipe.split.point).network.info;
    line(run.codec, "analysis", model.analysis_macs(), split.macs_before, model.analysis_params(),
         split.params_before);
    line(run.codec, "synthesis", model.synthesis_macs(), split.macs_after, model.synthesis_params(),
         split.params_after);
  }
  for (const auto& [name, at_split] : data) {
    const SplitInfo& split = at_split.network.info;
    text +=
        fmt::format("network at {}: head {} multiply-adds, {} parameters; tail {} multiply-adds, {} parameters\n",
                    name, split.macs_before, split.params_before, split.macs_after, split.params_after);
  }
  return text;
}

}  // namespace strait
