// Transforms, units, prior and tables: what is trained must be what the runtime runs.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numeric>

#include "strait/strait.hpp"
#include "training/bottleneck_unit.h"
#include "training/exporter.h"
#include "training/rd_loss.h"
#include "training/table_fit.h"

namespace strait {
namespace {

UnitRecipe SmallUnit(UnitFamily family) {
  UnitRecipe recipe;
  recipe.family = family;
  recipe.channels = 6;
  recipe.analysis_width = 8;
  recipe.synthesis_width = 32;
  return recipe;
}

std::vector<LevelInfo> Levels(size_t count) {
  std::vector<LevelInfo> levels(count);
  for (size_t i = 0; i < count; ++i)
    levels[i] = {std::pow(0.1, static_cast<double>(i)), std::nan(""), std::nan("")};
  return levels;
}

// Moves batch norm statistics and gains off their starting values, as training would.
void Shake(BottleneckUnit& unit, const torch::Tensor& features) {
  torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : unit->parameters()) parameter.add_(0.05 * torch::randn_like(parameter));
  unit->train();
  for (int i = 0; i < 5; ++i) unit->Forward(features, 0, true);
  unit->eval();
}

struct Exported {
  BottleneckUnit unit;
  std::shared_ptr<const Model> model;
};

Exported Export(UnitFamily family, const Shape& shape, int64_t levels, const torch::Tensor& features) {
  BottleneckUnit unit(SmallUnit(family), shape, levels, /*rectified=*/true);
  std::vector<double> lambdas;
  for (const LevelInfo& level : Levels(static_cast<size_t>(levels))) lambdas.push_back(level.lambda);
  unit->Initialize(features, lambdas);
  Shake(unit, features);
  Result<ModelSpec> spec =
      BuildModelSpec(unit, Levels(static_cast<size_t>(levels)), features, {.precision = 14, .sets_per_level = 2});
  EXPECT_TRUE(spec.ok()) << spec.status().ToString();
  Result<std::vector<uint8_t>> bytes = SerializeModel(*spec);
  EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
  Result<std::shared_ptr<const Model>> model = Model::FromBytes(*bytes);
  EXPECT_TRUE(model.ok()) << model.status().ToString();
  return {unit, *model};
}

TEST(BottleneckUnit, OfEveryFamilyRunsTheSameInTheRuntime) {
  torch::manual_seed(3);
  const torch::Tensor maps = torch::relu(torch::randn({24, 8, 8, 8}));
  const torch::Tensor tokens = torch::relu(torch::randn({24, 10, 16}));
  const Exported cases[] = {Export(UnitFamily::kStrait, {8, 8, 8}, 3, maps),
                            Export(UnitFamily::kDatta2022, {8, 8, 8}, 1, maps),
                            Export(UnitFamily::kStrait, {10, 16}, 2, tokens)};
  const torch::Tensor inputs[] = {maps, maps, tokens};
  for (size_t i = 0; i < 3; ++i) {
    BottleneckUnit unit = cases[i].unit;
    const Status status = CheckAgainstRuntime(unit, cases[i].model, inputs[i]);
    EXPECT_TRUE(status.ok()) << "case " << i << ": " << status.ToString();
  }
}

TEST(BottleneckUnit, ThatDiffersFromTheModelFailsTheExportCheck) {
  torch::manual_seed(4);
  const torch::Tensor maps = torch::relu(torch::randn({24, 8, 8, 8}));
  Exported exported = Export(UnitFamily::kStrait, {8, 8, 8}, 2, maps);
  torch::NoGradGuard no_grad;
  exported.unit->analysis()->parameters()[0].mul_(1.2);
  EXPECT_EQ(CheckAgainstRuntime(exported.unit, exported.model, maps).code(), StatusCode::kInternal);
}

TEST(BottleneckUnit, LosesChannelsThatAreSilentAtEveryLevelAndNothingElse) {
  torch::manual_seed(8);
  const torch::Tensor maps = torch::relu(torch::randn({24, 8, 8, 8})), tokens = torch::randn({24, 10, 16});
  for (const auto& [family, shape, features] : {std::tuple(UnitFamily::kStrait, Shape{8, 8, 8}, maps),
                                                std::tuple(UnitFamily::kDatta2022, Shape{8, 8, 8}, maps),
                                                std::tuple(UnitFamily::kStrait, Shape{10, 16}, tokens)}) {
    BottleneckUnit unit(SmallUnit(family), shape, 1, true);
    unit->Initialize(features, {1e-3});
    Shake(unit, features);
    torch::NoGradGuard no_grad;
    // Channels 1 and 4 fall silent: what makes them is all zero.
    for (auto& item : unit->named_parameters()) {
      const bool makes_latent = family == UnitFamily::kDatta2022 ? item.key().find("analysis.norm1") == 0
                                : shape.size() == 2
                                    ? item.key() == "analysis.weight1" || item.key() == "analysis.bias1"
                                    : item.key() == "analysis.weight2" || item.key() == "analysis.bias2";
      if (makes_latent) item.value().index_fill_(0, torch::tensor({1, 4}), 0);
    }
    const int64_t axis = shape.size() == 2 ? 2 : 1;
    const torch::Tensor latent = unit->Analyze(features), restored = unit->Synthesize(latent);
    const Result<ModelSpec> spec = BuildModelSpec(unit, Levels(1), features, {});
    ASSERT_TRUE(spec.ok()) << spec.status().ToString();
    EXPECT_EQ(spec->latent_channels(), 4);
    ASSERT_EQ(unit->channels(), 4);
    const torch::Tensor kept = unit->Analyze(features);
    EXPECT_TRUE(torch::equal(kept, latent.index_select(axis, torch::tensor({0, 2, 3, 5}))));
    EXPECT_TRUE(torch::allclose(unit->Synthesize(kept), restored, 1e-4, 1e-5));
    const auto model = Model::FromBytes(SerializeModel(*spec).value()).value();
    const Status status = CheckAgainstRuntime(unit, model, features);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
}

TEST(BottleneckUnit, ThatSaysNothingKeepsAChannel) {
  BottleneckUnit unit(SmallUnit(UnitFamily::kStrait), Shape{8, 8, 8}, 1, true);
  unit->eval();
  const torch::Tensor nothing = torch::zeros({4, 8, 8, 8});
  const Result<ModelSpec> spec = BuildModelSpec(unit, Levels(1), nothing, {});
  ASSERT_TRUE(spec.ok()) << spec.status().ToString();
  EXPECT_EQ(unit->channels(), 1);
}

TEST(BottleneckUnit, LevelsStartFromCoarseToFine) {
  torch::manual_seed(5);
  BottleneckUnit unit(SmallUnit(UnitFamily::kStrait), Shape{8, 8, 8}, 3, true);
  const torch::Tensor maps = torch::relu(torch::randn({16, 8, 8, 8}));
  unit->Initialize(maps, {1e-2, 1e-3, 1e-4});
  for (int64_t level = 0; level < 2; ++level) {
    EXPECT_TRUE(torch::all(unit->Gain(level) < unit->Gain(level + 1)).item<bool>());
    // One sample: the first level's rate alone.
    const auto rate = [&](int64_t of_level) {
      return unit->Forward(maps.slice(0, 0, 1), of_level, false).rates.at(0).rate.item<double>();
    };
    EXPECT_LT(rate(level), rate(level + 1));
  }
}

TEST(BottleneckUnit, GivesEverySampleItsLevel) {
  torch::manual_seed(5);
  for (const Shape& shape : {Shape{8, 8, 8}, Shape{20, 8}}) {
    BottleneckUnit unit(SmallUnit(UnitFamily::kStrait), shape, 3, true);
    torch::Tensor features = torch::relu(torch::randn({7, shape[0], shape[1]}));
    if (shape.size() == 3) features = torch::relu(torch::randn({7, 8, 8, 8}));
    unit->Initialize(features, {1e-2, 1e-3, 1e-4});
    unit->eval();  // batch norm would see another batch below
    const torch::NoGradGuard no_grad;
    const auto out = unit->Forward(features, 2, true);
    double shares = 0;
    for (int64_t i = 0; i < 7; ++i) {
      const int64_t level = (2 + i) % 3;
      const auto alone = unit->Forward(features.slice(0, i, i + 1), level, true);
      EXPECT_TRUE(torch::allclose(out.restored[i], alone.restored[0], 1e-4, 1e-5)) << "sample " << i;
      EXPECT_EQ(alone.rates.at(0).level, level);
    }
    // The same sample seven times: each part's rate is that of its level, but for the noise.
    const torch::Tensor copies = features.slice(0, 0, 1).expand_as(features);
    for (const auto& part : unit->Forward(copies, 2, true).rates) {
      const double alone = unit->Forward(copies, part.level, true).rates.at(0).rate.item<double>();
      EXPECT_NEAR(part.rate.item<double>() / alone, 1, 0.15) << "level " << part.level;
    }
    for (const auto& part : out.rates) shares += part.share;
    EXPECT_DOUBLE_EQ(shares, 1);
    ASSERT_EQ(out.rates.size(), 3u);
    EXPECT_EQ(out.rates[0].level, 2);
    EXPECT_DOUBLE_EQ(out.rates[0].share, 3.0 / 7);
  }
}

TEST(BottleneckUnit, GradientReachesEveryParameterOfTheSampledLevelsAndNoOther) {
  torch::manual_seed(6);
  BottleneckUnit unit(SmallUnit(UnitFamily::kStrait), Shape{8, 8, 8}, 2, true);
  unit->Initialize(torch::relu(torch::randn({16, 8, 8, 8})), {1e-2, 1e-3});
  for (const int64_t samples : {1, 16}) {  // one sample has one level
    for (torch::Tensor& parameter : unit->parameters()) parameter.mutable_grad() = torch::Tensor();
    const auto out = unit->Forward(torch::relu(torch::randn({samples, 8, 8, 8})), 1, true);
    torch::Tensor loss = out.restored.square().mean();
    for (const auto& part : out.rates) loss = loss + 1e-3 * part.share * part.rate;
    loss.backward();
    for (const auto& item : unit->named_parameters()) {
      const bool other_level =
          samples == 1 && item.key().back() == '0' &&
          (item.key().find("gain") != std::string::npos || item.key().find("prior") != std::string::npos);
      EXPECT_EQ(item.value().grad().defined(), !other_level) << item.key();
    }
  }
}

TEST(BottleneckUnit, RefusesShapesItCannotStandAt) {
  EXPECT_TRUE(CheckUnitFits(SmallUnit(UnitFamily::kStrait), {8, 8, 8}).ok());
  EXPECT_TRUE(CheckUnitFits(SmallUnit(UnitFamily::kStrait), {10, 16}).ok());
  EXPECT_EQ(CheckUnitFits(SmallUnit(UnitFamily::kStrait), {8, 7, 7}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckUnitFits(SmallUnit(UnitFamily::kDatta2022), {10, 16}).code(), StatusCode::kUnsupported);
  EXPECT_EQ(CheckUnitFits(SmallUnit(UnitFamily::kStrait), {128}).code(), StatusCode::kUnsupported);
}

TEST(EntropyBottleneck, ProbabilitiesOfAllIntegersSumToOneAndMatchTheBits) {
  torch::manual_seed(7);
  EntropyBottleneck prior(2, 3, /*neighbours=*/true);
  prior->Initialize(1, torch::tensor({0.2, 1.0, 5.0}));
  {
    torch::NoGradGuard no_grad;
    for (const auto& item : prior->named_parameters()) {
      if (item.key() == "shift1") item.value().copy_(torch::tensor({0.1, -0.2, 0.05}));
    }
  }
  // Three rows of three channels; the middle symbol of the last row is looked at, everything else is far from it.
  torch::Tensor symbols = torch::randint(-3, 4, {1, 3, 2, 3}, torch::kFloat);
  const NeighbourSums around = SumNeighbours(symbols);
  const torch::Tensor left = symbols.select(2, 1).select(2, 0), up = symbols.select(2, 0).select(2, 1),
                      up_left = symbols.select(2, 0).select(2, 0), up_right = symbols.select(2, 0).select(2, 2);
  const torch::Tensor sum = around.sum.select(2, 1).select(2, 1),
                      magnitude = around.magnitude.select(2, 1).select(2, 1);
  EXPECT_TRUE(torch::equal(sum, 4 * left + 3 * up - up_left + up_right));
  EXPECT_TRUE(torch::equal(magnitude, 4 * left.abs() + 3 * up.abs() + up_left.abs() + up_right.abs()));

  // Bits are summed over positions: those of all but one are what is left without it.
  double want = 0;
  for (int64_t y = 0; y < 2; ++y) {
    for (int64_t x = 0; x < 3; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        const torch::Tensor pmf =
            prior->Pmf(1, -200, 401, {around.sum[0][c][y][x].view({1}), around.magnitude[0][c][y][x].view({1})});
        EXPECT_TRUE(torch::allclose(pmf.sum(2), torch::ones({3, 1}, torch::kDouble), 1e-5, 1e-5));
        want -= std::log2(pmf[c][0][200 + symbols[0][c][y][x].item<int>()].item<double>());
      }
    }
  }
  EXPECT_NEAR(prior->Bits(symbols, symbols, 1).item<double>(), want, 1e-3 * want);
}

TEST(EntropyBottleneck, LearnsWhatNeighboursSay) {
  torch::manual_seed(17);
  // Tokens that walk randomly: the one before says nearly all.
  const torch::Tensor walk = torch::randn({8, 64, 2}).cumsum(1);
  double bits[2];
  for (const bool neighbours : {false, true}) {
    EntropyBottleneck prior(1, 2, neighbours);
    prior->Initialize(0, torch::full({2}, 3.0));
    torch::optim::Adam optimizer(prior->parameters(), torch::optim::AdamOptions(0.02));
    for (int step = 0; step < 300; ++step) {
      optimizer.zero_grad();
      const torch::Tensor rate = prior->Bits(walk, torch::round(walk), 0);
      rate.backward();
      optimizer.step();
      bits[neighbours] = rate.item<double>();
    }
  }
  EXPECT_LT(bits[1], 0.75 * bits[0]);
}

TEST(EntropyBottleneck, StaysFiniteFarInTheTails) {
  EntropyBottleneck prior(1, 1, /*neighbours=*/true);
  prior->Initialize(0, torch::tensor({0.1}));
  torch::Tensor latent = torch::full({1, 1, 1, 1}, 1e4f).requires_grad_();
  torch::Tensor bits = prior->Bits(latent, torch::round(latent), 0);
  bits.backward();
  EXPECT_TRUE(std::isfinite(bits.item<double>()));
  EXPECT_TRUE(torch::isfinite(latent.grad()).all().item<bool>());
}

TEST(Distortion, IsZeroForAnExactCopyAndOneForZeros) {
  const torch::Tensor x = torch::randn({4, 3, 2, 2}), logits = torch::randn({4, 10});
  LossRecipe recipe;
  recipe.kind = LossKind::kDistill;
  recipe.feature_weight = 1;
  EXPECT_NEAR(Distortion(recipe, {x, x, logits, logits, {}}).item<double>(), 0, 1e-6);
  recipe.kind = LossKind::kFeature;
  EXPECT_NEAR(Distortion(recipe, {torch::zeros_like(x), x, {}, {}, {}}).item<double>(), 1, 1e-6);
}

TEST(Distortion, OfDistillationIsTheDivergenceFromTheUnsplitOutput) {
  const torch::Tensor x = torch::zeros({1, 1}), restored = torch::tensor({{0.0f, 0.0f}}),
                      reference = torch::tensor({{std::log(3.0f), 0.0f}});
  LossRecipe recipe;
  recipe.kind = LossKind::kDistill;
  recipe.feature_weight = 0;
  // KL((3/4, 1/4) || (1/2, 1/2)) in nats.
  EXPECT_NEAR(Distortion(recipe, {x, x, restored, reference, {}}).item<double>(),
              0.75 * std::log(1.5) + 0.25 * std::log(0.5), 1e-5);
}

TEST(Distortion, OfASampleCountsByItsWeight) {
  const torch::Tensor x = torch::rand({2, 3, 2, 2}) + 1, reference = torch::randn({2, 5}),
                      logits = torch::randn({2, 5}), labels = torch::tensor({1, 3}, torch::kLong);
  for (const LossKind kind : {LossKind::kTask, LossKind::kDistill, LossKind::kFeature}) {
    LossRecipe recipe;
    recipe.kind = kind;
    const auto distortion = [&](const torch::Tensor& weights) {
      return Distortion(recipe, {x * 0.5, x, logits, reference, labels, {x * 0.3}, {x}, weights}).item<double>();
    };
    const double first = distortion(torch::tensor({1.0f, 0.0f})), second = distortion(torch::tensor({0.0f, 1.0f}));
    EXPECT_NEAR(distortion({}), first + second, 1e-5);
    EXPECT_NEAR(distortion(torch::tensor({0.5f, 1.5f})), 0.5 * first + 1.5 * second, 1e-5);
    EXPECT_GT(first, 0);
    EXPECT_GT(second, 0);
  }
}

TEST(FitTable, CostsNoMoreThanItsEntropyAllows) {
  SymbolCounts counts;
  counts.first = -40;
  for (int i = -40; i <= 40; ++i)
    counts.count.push_back(static_cast<int64_t>(100000 * std::exp(-std::abs(i) / 2.0)));
  const Result<CdfTable> table = FitTable(counts, {}, 0, 12);
  ASSERT_TRUE(table.ok());
  const Result<CdfTableSet> set = CdfTableSet::Create({*table}, 12);
  ASSERT_TRUE(set.ok()) << set.status().ToString();
  EXPECT_LT(CrossEntropyBits(counts, *set, 0), EntropyBits(counts) * 1.005);
  EXPECT_GE(CrossEntropyBits(counts, *set, 0), EntropyBits(counts));
}

TEST(FitTable, MakesADeadChannelFree) {
  const std::vector<float> zeros(100, 0.2f);
  const SymbolCounts counts = CountSymbols(zeros, 1.0f);
  const Result<CdfTable> table = FitTable(counts, {}, 0, 12);
  ASSERT_TRUE(table.ok());
  const Result<CdfTableSet> set = CdfTableSet::Create({*table}, 12);
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(CrossEntropyBits(counts, *set, 0), 0);
  EXPECT_EQ(set->Clamp(0, 5), 0);
}

TEST(FitTable, KeepsWithinTheLargestAlphabet) {
  SymbolCounts counts;
  counts.first = -3000;
  counts.count.assign(6001, 1);
  const Result<CdfTable> table = FitTable(counts, {}, 0, 14);
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  EXPECT_LE(table->num_values(), kMaxAlphabet);
  EXPECT_TRUE(ValidateTable(*table, 14).ok());
}

}  // namespace
}  // namespace strait
