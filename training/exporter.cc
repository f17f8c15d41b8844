#include "training/exporter.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "codec/model_impl.h"
#include "codec/quantizer.h"
#include "entropy/error.h"
#include "strait/decoder.h"
#include "strait/encoder.h"
#include "training/table_fit.h"
#include "training/torch_shape.h"

namespace strait {
namespace {

// The prior counts as this many observations of each channel: enough to give unseen neighbours of seen symbols a
// sensible mass, too few to bend what tens of thousands of symbols say.
constexpr double kPriorWeight = 64;
// A table may cost this much more than the entropy of the symbols it was fitted to: 12-bit rounding and escapes
// measure well below; more means that fit and latent disagree.
constexpr double kMaxRelativeExcess = 0.03;
constexpr double kMaxExcessBits = 0.01;  // a symbol, averaged over channels

std::vector<float> ToVector(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.detach().to(torch::kCPU, torch::kFloat).contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}


// Channel axis of a batched feature map or token tensor.
int64_t ChannelAxis(const torch::Tensor& tensor) { return tensor.dim() == 3 ? 2 : 1; }

torch::Tensor Analyze(BottleneckUnit& unit, const torch::Tensor& features) {
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> parts;
  for (const torch::Tensor& part : features.split(64)) parts.push_back(unit->Analyze(part));
  return torch::cat(parts);
}

// Prior probability of the symbols of `counts`, between the priors of the two nearest levels; empty without a
// prior.
std::vector<double> PriorAt(const BottleneckUnit& unit, double quality, int64_t channel,
                            const SymbolCounts& counts) {
  if (!unit->prior()) return {};
  const int64_t below = static_cast<int64_t>(quality);
  const int64_t above = std::min(below + 1, unit->levels() - 1);
  const double share = quality - static_cast<double>(below);
  const int64_t size = static_cast<int64_t>(counts.count.size());
  const torch::Tensor pmf = unit->prior()->Pmf(below, counts.first, size)[channel] * (1 - share) +
                            unit->prior()->Pmf(above, counts.first, size)[channel] * share;
  return {pmf.data_ptr<double>(), pmf.data_ptr<double>() + size};
}

}  // namespace

Result<ModelSpec> BuildModelSpec(BottleneckUnit& unit, const std::vector<LevelInfo>& levels,
                                 const torch::Tensor& calibration, const ExportOptions& options) {
  const torch::Tensor latent = Analyze(unit, calibration);
  ModelSpec spec;
  spec.feature_shape = SampleShapeOf(calibration);
  spec.latent_shape = SampleShapeOf(latent);
  spec.analysis = unit->analysis()->Export();
  spec.synthesis = unit->synthesis()->Export();
  spec.levels = levels;
  for (int64_t level = 0; level < unit->levels(); ++level) {
    spec.gain.push_back(ToVector(unit->Gain(level)));
    spec.inverse_gain.push_back(ToVector(unit->InverseGain(level)));
  }
  spec.sets_per_level = options.sets_per_level;
  spec.precision = options.precision;
  spec.provenance_json = options.provenance_json;

  const int64_t channels = spec.latent_channels();
  const std::vector<float> by_channel = ToVector(latent.transpose(0, ChannelAxis(latent)));
  const size_t per_channel = by_channel.size() / static_cast<size_t>(channels);
  const int64_t sets = (unit->levels() - 1) * options.sets_per_level + 1;
  std::vector<SymbolCounts> all_counts;
  for (int64_t set = 0; set < sets; ++set) {
    const double quality = static_cast<double>(set) / options.sets_per_level;
    STRAIT_ASSIGN_OR_RETURN(const int quality_code, QualityCode(quality, levels.size()));
    const std::vector<float> gain = InterpolateGains(spec.gain, quality_code);
    for (int64_t channel = 0; channel < channels; ++channel) {
      const std::span<const float> values(by_channel.data() + static_cast<size_t>(channel) * per_channel,
                                          per_channel);
      SymbolCounts counts = CountSymbols(values, gain[static_cast<size_t>(channel)]);
      STRAIT_ASSIGN_OR_RETURN(CdfTable table, FitTable(counts, PriorAt(unit, quality, channel, counts),
                                                       kPriorWeight, options.precision));
      spec.tables.push_back(std::move(table));
      all_counts.push_back(std::move(counts));
    }
  }

  STRAIT_ASSIGN_OR_RETURN(const CdfTableSet tables, CdfTableSet::Create(spec.tables, options.precision));
  for (int64_t set = 0; set < sets; ++set) {
    double cost = 0, entropy = 0;
    for (int64_t i = set * channels; i < (set + 1) * channels; ++i) {
      cost += CrossEntropyBits(all_counts[static_cast<size_t>(i)], tables, static_cast<size_t>(i)) /
              static_cast<double>(channels);
      entropy += EntropyBits(all_counts[static_cast<size_t>(i)]) / static_cast<double>(channels);
    }
    if (cost > entropy * (1 + kMaxRelativeExcess) + kMaxExcessBits) {
      return Error(StatusCode::kInternal, "export: tables at quality ",
                   static_cast<double>(set) / options.sets_per_level, " cost ", cost,
                   " bits a symbol on the training latents, whose entropy is ", entropy,
                   "; raise export.precision");
    }
  }
  return spec;
}

Status CheckAgainstRuntime(BottleneckUnit& unit, const std::shared_ptr<const Model>& model,
                           const torch::Tensor& features) {
  torch::NoGradGuard no_grad;
  constexpr double kBoundary = 1e-3;
  constexpr double kTolerance = 1e-4;
  const torch::Tensor src = features.to(torch::kCPU, torch::kFloat).contiguous();
  const Shape shape = ShapeOf(src);
  const torch::Tensor latent = unit->Analyze(src);
  const CdfTableSet& tables = model->impl().tables;
  const Shape latent_shape = ShapeOf(latent);
  Encoder encoder(model);
  Decoder decoder(model);
  for (int64_t level = 0; level < unit->levels(); ++level) {
    std::vector<int64_t> per_channel(static_cast<size_t>(latent.dim()), 1);
    per_channel[static_cast<size_t>(ChannelAxis(latent))] = -1;
    const torch::Tensor scaled = (latent * unit->Gain(level).view(per_channel)).contiguous();
    std::vector<int16_t> symbols;
    STRAIT_RETURN_IF_ERROR(encoder.Quantize({src.data_ptr<float>(), shape}, static_cast<double>(level), symbols));
    if (static_cast<int64_t>(symbols.size()) != scaled.numel()) {
      return Error(StatusCode::kInternal, "export check: runtime gives ", symbols.size(), " symbols, trainer ",
                   scaled.numel());
    }
    const SymbolLayout layout =
        LayoutOf(latent_shape, static_cast<int>(level) * kQualitySteps, model->impl().spec.sets_per_level);
    const float* values = scaled.data_ptr<float>();
    for (size_t i = 0; i < symbols.size(); ++i) {
      const int32_t rounded = static_cast<int32_t>(std::clamp(std::nearbyint(values[i]), -32768.0f, 32767.0f));
      const int32_t want = tables.Clamp(layout.TableOf(i), rounded);
      const double fraction = std::abs(values[i] - std::floor(values[i]) - 0.5);
      if (symbols[i] != want && fraction > kBoundary) {
        return Error(StatusCode::kInternal, "export check: level ", level, ", symbol ", i, ": runtime has ",
                     symbols[i], ", trainer ", want, " from ", values[i], "; the model was not written");
      }
    }
    const torch::Tensor sent = torch::from_blob(symbols.data(), latent.sizes(), torch::kShort).to(torch::kFloat);
    const torch::Tensor want = unit->Synthesize(sent * unit->InverseGain(level).view(per_channel)).contiguous();
    Tensor restored;
    STRAIT_RETURN_IF_ERROR(decoder.Synthesize(symbols, latent_shape, static_cast<double>(level), restored));
    const torch::Tensor got = torch::from_blob(restored.data.data(), want.sizes(), torch::kFloat);
    const double error = (got - want).abs().max().item<double>() / std::max(1e-12, want.abs().max().item<double>());
    if (!(error <= kTolerance)) {
      return Error(StatusCode::kInternal, "export check: level ", level, ": restored tensors differ by ", error,
                   " of the largest value, ", kTolerance, " allowed; the model was not written");
    }
  }
  return Status();
}

}  // namespace strait
