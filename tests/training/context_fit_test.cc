// Tables of context models: what they cost on sources whose entropy is known.
#include "training/context_fit.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "entropy/cdf_table.h"

namespace strait {
namespace {

constexpr int32_t kReach = 20;

// Rounded Gaussians whose mean is the cell's number less 8 and whose scale belongs to the channel.
struct Source {
  torch::Tensor symbols, cells;
};
Source Draw(double scale, int64_t count) {
  const torch::Tensor cells = torch::randint(0, kContextCells, {count}, torch::kLong);
  const torch::Tensor mean = (cells % 16).to(torch::kDouble) - 8;
  return {torch::round(mean + scale * torch::randn({count}, torch::kDouble)).to(torch::kLong), cells};
}

double EntropyOfRoundedGaussian(double scale) {
  double bits = 0;
  for (int x = -200; x <= 200; ++x) {
    const double mass =
        0.5 * (std::erf((x + 0.5) / (scale * std::sqrt(2.0))) - std::erf((x - 0.5) / (scale * std::sqrt(2.0))));
    if (mass > 1e-300) bits -= mass * std::log2(mass);
  }
  return bits;
}

double BitsPerSymbol(const Source& source, const CdfTableSet& tables, const uint8_t* cell_tables) {
  double bits = 0;
  for (int64_t i = 0; i < source.symbols.size(0); ++i) {
    const size_t table = cell_tables[source.cells[i].item<int64_t>()];
    bits += tables.CostBits(table, static_cast<int32_t>(source.symbols[i].item<int64_t>()));
  }
  return bits / static_cast<double>(source.symbols.size(0));
}

torch::Tensor FlatPrior() {
  return torch::full({kContextCells, 2 * kReach + 1}, 1.0 / (2 * kReach + 1), torch::kDouble);
}

TEST(ContextFit, CostsHardlyMoreThanTheSourceOnSymbolsItHasNotSeen) {
  torch::manual_seed(31);
  ContextFit fit(kReach);
  const double scales[] = {0.4, 1, 2.5};
  for (const double scale : scales) {
    const Source seen = Draw(scale, 100000);
    fit.AddChannel(seen.symbols, seen.cells, FlatPrior());
  }
  const ContextFit::Tables fitted = std::move(fit).Fit(12).value();
  EXPECT_LE(fitted.tables.size(), 256u);
  EXPECT_EQ(fitted.cell_tables.size(), 3u * kContextCells);
  const CdfTableSet tables = CdfTableSet::Create(fitted.tables, 12).value();
  for (size_t c = 0; c < 3; ++c) {
    const double entropy = EntropyOfRoundedGaussian(scales[c]);
    EXPECT_LT(BitsPerSymbol(Draw(scales[c], 20000), tables, fitted.cell_tables.data() + c * kContextCells),
              entropy * 1.02 + 0.03);
  }
}

TEST(ContextFit, MakesAChannelOfZerosFreeAndLeavesAllOthersAnEscape) {
  torch::manual_seed(32);
  ContextFit fit(kReach);
  const Source source = Draw(1, 5000);
  fit.AddChannel(torch::zeros_like(source.symbols), source.cells, FlatPrior());
  fit.AddChannel(source.symbols, source.cells, FlatPrior());
  fit.AddChannel(torch::full_like(source.symbols, 3), source.cells, FlatPrior());
  const ContextFit::Tables fitted = std::move(fit).Fit(12).value();
  for (size_t i = 0; i < fitted.cell_tables.size(); ++i) {
    const CdfTable& table = fitted.tables.at(fitted.cell_tables[i]);
    EXPECT_TRUE(ValidateTable(table, 12).ok());
    EXPECT_EQ(table.has_escape, i >= kContextCells);
    EXPECT_EQ(table.freq.size() == 1, i < kContextCells);
  }
}

TEST(ContextFit, LeavesFarSymbolsToEscapes) {
  torch::manual_seed(33);
  ContextFit fit(5);
  Source source = Draw(1, 5000);
  source.symbols.index_fill_(0, torch::arange(0, 5000, 10), 900);
  fit.AddChannel(source.symbols, source.cells, torch::full({kContextCells, 11}, 1.0 / 11, torch::kDouble));
  const ContextFit::Tables fitted = std::move(fit).Fit(12).value();
  const CdfTableSet tables = CdfTableSet::Create(fitted.tables, 12).value();
  for (const uint8_t table : fitted.cell_tables) {
    const double bits = tables.CostBits(table, 900);
    EXPECT_GT(bits, 15);  // the escape's own bits say how far
    EXPECT_LT(bits, 40);
  }
}

TEST(ContextFit, EndsWhereThereAreFewerKindsOfHistogramsThanTables) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    torch::manual_seed(seed);
    const int32_t reach = 1 + static_cast<int32_t>(seed % 6);
    ContextFit fit(reach);
    const torch::Tensor x = torch::arange(-reach, reach + 1).to(torch::kDouble).abs().view({1, -1});
    const torch::Tensor scale = 0.3 + torch::arange(kContextCells).to(torch::kDouble).view({-1, 1}) / 64;
    for (int c = 0; c < 3; ++c) {
      const torch::Tensor symbols = torch::round(torch::randn({80}) * (0.3 + 0.5 * c)).clamp(-reach, reach);
      fit.AddChannel(symbols.to(torch::kLong), torch::randint(0, kContextCells, {80}, torch::kLong),
                     0.999 * torch::softmax(-x / scale, 1));
    }
    const Result<ContextFit::Tables> fitted = std::move(fit).Fit(12);
    ASSERT_TRUE(fitted.ok()) << fitted.status().ToString();
    EXPECT_LT(fitted->tables.size(), 200u) << "not what this is about";
    EXPECT_GE(fitted->tables.size(), 10u);
  }
}

}  // namespace
}  // namespace strait
