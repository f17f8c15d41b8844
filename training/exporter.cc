#include "training/exporter.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "codec/model_format.h"
#include "codec/model_impl.h"
#include "codec/quantizer.h"
#include "entropy/error.h"
#include "strait/decoder.h"
#include "strait/encoder.h"
#include "training/context_fit.h"
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

// Symbols beyond are so rare that what neighbours say about them is not worth fitting.
constexpr double kMaxReach = 127;

std::vector<float> ToVector(const torch::Tensor& tensor) {
  const torch::Tensor flat = tensor.detach().to(torch::kCPU, torch::kFloat).contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

// Channel axis of a batched feature map or token tensor.
int64_t ChannelAxis(const torch::Tensor& tensor) { return tensor.dim() == 3 ? 2 : 1; }

// [C] to a shape that broadcasts over such a tensor.
torch::Tensor OverChannels(const torch::Tensor& vector, const torch::Tensor& tensor) {
  return ChannelAxis(tensor) == 2 ? vector : vector.view({1, -1, 1, 1});
}

torch::Tensor Analyze(BottleneckUnit& unit, const torch::Tensor& features) {
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> parts;
  for (const torch::Tensor& part : features.split(64)) parts.push_back(unit->Analyze(part));
  return torch::cat(parts);
}

// The prior between its two nearest levels: see EntropyBottleneckImpl::Pmf.
torch::Tensor PriorAt(const BottleneckUnit& unit, double quality, int64_t first, int64_t count,
                      const NeighbourSums& around) {
  const int64_t below = static_cast<int64_t>(quality);
  const int64_t above = std::min(below + 1, unit->levels() - 1);
  const double share = quality - static_cast<double>(below);
  const torch::Tensor pmf = unit->prior()->Pmf(below, first, count, around);
  if (share == 0) return pmf;
  return pmf * (1 - share) + unit->prior()->Pmf(above, first, count, around) * share;
}

// Of the symbols of `counts`; empty without a prior.
std::vector<double> PriorOfChannel(const BottleneckUnit& unit, double quality, int64_t channel,
                                   const SymbolCounts& counts) {
  if (!unit->prior()) return {};
  const torch::Tensor alone = torch::zeros({1});
  const int64_t size = static_cast<int64_t>(counts.count.size());
  const torch::Tensor pmf = PriorAt(unit, quality, counts.first, size, {alone, alone})[channel].contiguous();
  return {pmf.data_ptr<double>(), pmf.data_ptr<double>() + size};
}

// A table a channel, at every set.
Status FitChannelTables(BottleneckUnit& unit, const torch::Tensor& latent, ModelSpec& spec) {
  const int64_t channels = spec.latent_channels();
  const auto sets = static_cast<int64_t>(NumTableSets(spec.levels.size(), spec.sets_per_level));
  const std::vector<float> by_channel = ToVector(latent.transpose(0, ChannelAxis(latent)));
  const size_t per_channel = by_channel.size() / static_cast<size_t>(channels);
  std::vector<SymbolCounts> all_counts;
  for (int64_t set = 0; set < sets; ++set) {
    const double quality = static_cast<double>(set) / spec.sets_per_level;
    STRAIT_ASSIGN_OR_RETURN(const int quality_code, QualityCode(quality, spec.levels.size()));
    const std::vector<float> gain = InterpolateGains(spec.gain, quality_code);
    for (int64_t channel = 0; channel < channels; ++channel) {
      const auto values = std::span(by_channel).subspan(static_cast<size_t>(channel) * per_channel, per_channel);
      SymbolCounts counts = CountSymbols(values, gain[static_cast<size_t>(channel)]);
      STRAIT_ASSIGN_OR_RETURN(CdfTable table, FitTable(counts, PriorOfChannel(unit, quality, channel, counts),
                                                       kPriorWeight, spec.precision));
      spec.tables.push_back(std::move(table));
      all_counts.push_back(std::move(counts));
    }
  }

  STRAIT_ASSIGN_OR_RETURN(const CdfTableSet tables, CdfTableSet::Create(spec.tables, spec.precision));
  for (int64_t set = 0; set < sets; ++set) {
    double cost = 0, entropy = 0;
    for (int64_t i = set * channels; i < (set + 1) * channels; ++i) {
      cost += CrossEntropyBits(all_counts[static_cast<size_t>(i)], tables, static_cast<size_t>(i)) /
              static_cast<double>(channels);
      entropy += EntropyBits(all_counts[static_cast<size_t>(i)]) / static_cast<double>(channels);
    }
    if (cost > entropy * (1 + kMaxRelativeExcess) + kMaxExcessBits) {
      return Error(StatusCode::kInternal, "export: tables at quality ",
                   static_cast<double>(set) / spec.sets_per_level, " cost ", cost,
                   " bits a symbol on the training latents, whose entropy is ", entropy,
                   "; raise export.precision");
    }
  }
  return Status();
}

// Tables chosen by neighbours, at every set.
Status FitContextTables(BottleneckUnit& unit, const torch::Tensor& latent, ModelSpec& spec) {
  const int64_t channels = spec.latent_channels();
  const torch::Tensor cell = torch::arange(kContextCells, torch::kFloat);
  const torch::Tensor above = torch::floor(cell / kContextSide), below = cell - kContextSide * above;
  const NeighbourSums around{above - below, above + below};
  const auto channel_first = [&](const torch::Tensor& values) {
    return values.transpose(0, ChannelAxis(values)).reshape({channels, -1}).to(torch::kLong);
  };
  const auto gain_at = [&](int64_t set) -> Result<torch::Tensor> {
    STRAIT_ASSIGN_OR_RETURN(const int code,
                            QualityCode(static_cast<double>(set) / spec.sets_per_level, spec.levels.size()));
    return OverChannels(torch::tensor(InterpolateGains(spec.gain, code)), latent);
  };
  const auto sets = static_cast<int64_t>(NumTableSets(spec.levels.size(), spec.sets_per_level));
  STRAIT_ASSIGN_OR_RETURN(const torch::Tensor finest, gain_at(sets - 1));
  const double largest = std::ceil((latent * finest).abs().max().item<double>());
  ContextFit fit(static_cast<int32_t>(std::clamp(largest, 1.0, kMaxReach)));
  for (int64_t set = 0; set < sets; ++set) {
    STRAIT_ASSIGN_OR_RETURN(const torch::Tensor gain, gain_at(set));
    const torch::Tensor symbols = torch::round(latent * gain).clamp(-32768, 32767).to(torch::kShort).contiguous();
    const std::vector<uint8_t> cells =
        ContextCells({symbols.data_ptr<int16_t>(), static_cast<size_t>(symbols.numel())}, ShapeOf(symbols),
                     spec.context.weights);
    const torch::Tensor symbols_by_channel = channel_first(symbols);
    const torch::Tensor cells_by_channel =
        channel_first(torch::from_blob(const_cast<uint8_t*>(cells.data()), symbols.sizes(), torch::kByte));
    const torch::Tensor prior = PriorAt(unit, static_cast<double>(set) / spec.sets_per_level, -fit.reach(),
                                        2 * int64_t{fit.reach()} + 1, around);
    for (int64_t c = 0; c < channels; ++c) fit.AddChannel(symbols_by_channel[c], cells_by_channel[c], prior[c]);
  }
  STRAIT_ASSIGN_OR_RETURN(ContextFit::Tables fitted, std::move(fit).Fit(spec.precision));
  spec.tables = std::move(fitted.tables);
  spec.context.tables = std::move(fitted.cell_tables);
  return Status();
}

// Channels of the latent whose symbols are not 0 throughout at some level: others would cost time and say nothing.
// At least one.
torch::Tensor LiveChannels(const BottleneckUnit& unit, const torch::Tensor& latent) {
  torch::NoGradGuard no_grad;
  const torch::Tensor largest = latent.abs().transpose(0, ChannelAxis(latent)).flatten(1).amax(1);
  torch::Tensor is_live = torch::zeros_like(largest, torch::kBool);
  for (int64_t level = 0; level < unit->levels(); ++level) is_live |= torch::round(largest * unit->Gain(level)) > 0;
  const torch::Tensor live = torch::nonzero(is_live).squeeze(1);
  return live.size(0) > 0 ? live : torch::zeros({1}, torch::kLong);
}

}  // namespace

Result<ModelSpec> BuildModelSpec(BottleneckUnit& unit, const std::vector<LevelInfo>& levels,
                                 const torch::Tensor& calibration, const ExportOptions& options) {
  torch::Tensor latent = Analyze(unit, calibration);
  if (const torch::Tensor live = LiveChannels(unit, latent); live.size(0) < unit->channels()) {
    unit->KeepChannels(live);
    latent = latent.index_select(ChannelAxis(latent), live);
  }
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

  const bool has_context = unit->prior() && unit->prior()->neighbours();
  STRAIT_RETURN_IF_ERROR(has_context ? FitContextTables(unit, latent, spec) : FitChannelTables(unit, latent, spec));
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
  const EntropyModel& entropy = model->impl().entropy;
  const Shape latent_shape = ShapeOf(latent);
  Encoder encoder(model);
  Decoder decoder(model);
  for (int64_t level = 0; level < unit->levels(); ++level) {
    const torch::Tensor scaled = (latent * OverChannels(unit->Gain(level), latent)).contiguous();
    std::vector<int16_t> symbols;
    STRAIT_RETURN_IF_ERROR(encoder.Quantize({src.data_ptr<float>(), shape}, static_cast<double>(level), symbols));
    if (static_cast<int64_t>(symbols.size()) != scaled.numel()) {
      return Error(StatusCode::kInternal, "export check: runtime gives ", symbols.size(), " symbols, trainer ",
                   scaled.numel());
    }
    const std::span<const uint32_t> tables = entropy.ChannelTables(static_cast<int>(level) * kQualitySteps);
    const size_t inner = InnerSize(latent_shape);
    const float* values = scaled.data_ptr<float>();
    for (size_t i = 0; i < symbols.size(); ++i) {
      const int32_t rounded = static_cast<int32_t>(std::clamp(std::nearbyint(values[i]), -32768.0f, 32767.0f));
      const int32_t want = entropy.tables().Clamp(tables[i / inner % tables.size()], rounded);
      const double fraction = std::abs(values[i] - std::floor(values[i]) - 0.5);
      if (symbols[i] != want && fraction > kBoundary) {
        return Error(StatusCode::kInternal, "export check: level ", level, ", symbol ", i, ": runtime has ",
                     symbols[i], ", trainer ", want, " from ", values[i], "; the model was not written");
      }
    }
    const torch::Tensor sent = torch::from_blob(symbols.data(), latent.sizes(), torch::kShort).to(torch::kFloat);
    const torch::Tensor want = unit->Synthesize(sent * OverChannels(unit->InverseGain(level), latent)).contiguous();
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
