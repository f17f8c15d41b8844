// TorchScript written by `strait-train export`: units against the runtime, halves against the whole network.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdio>
#include <filesystem>
#include <sstream>

#include "codec/model_impl.h"
#include "codec/quantizer.h"
#include "strait/strait.hpp"
#include "tests/codec/test_models.h"
#include "tests/training/test_networks.h"
#include "training/exporter.h"
#include "training/halves_export.h"
#include "training/torch_shape.h"
#include "training/torchscript_export.h"

namespace strait {
namespace {

using testing::ModelOf;
using ModelPtr = std::shared_ptr<const Model>;

// As a file would give it back.
torch::jit::Module Reload(const torch::jit::Module& module) {
  std::stringstream stream;
  module.save(stream);
  return torch::jit::load(stream);
}

TorchScriptUnit UnitOf(const Model& model) {
  Result<TorchScriptUnit> unit = BuildTorchScript(model.impl().spec);
  if (!unit.ok()) throw std::runtime_error(unit.status().ToString());
  return {Reload(unit->analysis), Reload(unit->synthesis)};
}

torch::Tensor ToTorch(const Tensor& tensor) {
  return torch::from_blob(const_cast<float*>(tensor.data.data()), SizesOf(tensor.shape)).clone();
}

// Largest error relative to the largest value.
double RelativeError(const torch::Tensor& got, const torch::Tensor& want) {
  if (got.sizes() != want.sizes()) return 1e9;
  return ((got - want).abs().max() / want.abs().max().clamp_min(1e-6)).item<double>();
}

ModelPtr UnitModel(UnitFamily family, const Shape& shape, int64_t levels, const torch::Tensor& features) {
  UnitRecipe recipe;
  recipe.family = family;
  recipe.channels = 6;
  recipe.analysis_width = 8;
  recipe.synthesis_width = 32;
  std::vector<double> lambdas;
  std::vector<LevelInfo> infos;
  for (int64_t level = 0; level < levels; ++level) {
    lambdas.push_back(std::pow(0.1, static_cast<double>(level)));
    infos.push_back({lambdas.back(), std::nan(""), std::nan("")});
  }
  BottleneckUnit unit(recipe, shape, levels, /*rectified=*/true);
  unit->Initialize(features, lambdas);
  torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : unit->parameters()) parameter.add_(0.05 * torch::randn_like(parameter));
  unit->train();
  for (int i = 0; i < 5; ++i) unit->Forward(features, 0, true);  // moves the statistics of batch norms
  unit->eval();
  Result<ModelSpec> spec = BuildModelSpec(unit, infos, features, {.precision = 14, .sets_per_level = 2});
  if (!spec.ok()) throw std::runtime_error(spec.status().ToString());
  return ModelOf(*spec);
}

// Every op there is, values read twice and out of order, a bias left out.
ModelPtr EveryOpModel() {
  using namespace testing;
  ModelSpec spec = ConvSpec();
  spec.synthesis = {
      Conv({8, 3, 1, 1}, false, 1, 0, 1, 21), Simple(OpKind::kLeakyRelu), Conv({8, 1, 3, 3}, true, 1, 1, 8, 22),
      Simple(OpKind::kAdd, {3, 1}),           Simple(OpKind::kRelu),      Conv({16, 4, 1, 1}, true, 1, 0, 2, 23),
      Simple(OpKind::kPixelShuffle)};
  spec.synthesis.back().factor = 2;
  return ModelOf(spec);
}

struct Case {
  std::string name;
  ModelPtr model;
  torch::Tensor features;
};

std::vector<Case> Cases() {
  torch::manual_seed(3);
  const torch::Tensor maps = torch::relu(torch::randn({24, 8, 8, 8}));
  const torch::Tensor tokens = torch::relu(torch::randn({24, 10, 16}));
  return {{"strait", UnitModel(UnitFamily::kStrait, {8, 8, 8}, 3, maps), maps},
          {"datta2022", UnitModel(UnitFamily::kDatta2022, {8, 8, 8}, 1, maps), maps},
          {"strait tokens", UnitModel(UnitFamily::kStrait, {10, 16}, 2, tokens), tokens},
          {"conv", ModelOf(testing::ConvSpec()), torch::randn({5, 4, 6, 6})},
          {"tokens", ModelOf(testing::TokenSpec()), torch::randn({5, 5, 6})},
          {"every op", EveryOpModel(), torch::randn({5, 4, 6, 6})}};
}

std::vector<double> QualitiesOf(const Model& model) {
  const double last = static_cast<double>(model.levels().size()) - 1;
  if (last == 0) return {0};
  return {0, 0.25, 0.4, 0.90625, 1, last - 1.0 / 32, last};
}

TEST(TorchScriptSynthesis, OfSymbolsThatStraitDecodedIsWhatTheDecoderRestores) {
  for (const Case& c : Cases()) {
    TorchScriptUnit unit = UnitOf(*c.model);
    Encoder encoder(c.model);
    Decoder decoder(c.model);
    for (const double quality : QualitiesOf(*c.model)) {
      std::vector<uint8_t> frame;
      const Status encoded =
          encoder.Encode({c.features.data_ptr<float>(), ShapeOf(c.features)}, {.quality = quality}, frame);
      ASSERT_TRUE(encoded.ok()) << c.name << ": " << encoded.ToString();
      Tensor restored;
      ASSERT_TRUE(decoder.Decode(frame, restored).ok());
      std::vector<int16_t> symbols;
      Shape shape;
      ASSERT_TRUE(decoder.DecodeSymbols(frame, symbols, shape).ok());
      const torch::Tensor src = torch::from_blob(symbols.data(), SizesOf(shape), torch::kShort);
      for (const torch::Tensor& typed : {src, src.to(torch::kFloat)}) {
        const torch::Tensor got = unit.synthesis.forward({typed, quality}).toTensor();
        EXPECT_LT(RelativeError(got, ToTorch(restored)), 1e-4) << c.name << " at quality " << quality;
      }
    }
  }
}

TEST(TorchScriptAnalysis, RoundedGivesTheSymbolsOfTheEncoder) {
  for (const Case& c : Cases()) {
    TorchScriptUnit unit = UnitOf(*c.model);
    Encoder encoder(c.model);
    const EntropyModel& entropy = c.model->impl().entropy;
    for (const double quality : QualitiesOf(*c.model)) {
      std::vector<int16_t> symbols;
      ASSERT_TRUE(encoder.Quantize({c.features.data_ptr<float>(), ShapeOf(c.features)}, quality, symbols).ok());
      const torch::Tensor scaled = unit.analysis.forward({c.features, quality}).toTensor().contiguous();
      ASSERT_EQ(scaled.numel(), static_cast<int64_t>(symbols.size()));
      const int code = *QualityCode(quality, c.model->levels().size());
      const std::span<const uint32_t> channel_tables = entropy.ChannelTables(code);
      const size_t inner = InnerSize(ShapeOf(scaled));
      for (size_t i = 0; i < symbols.size(); ++i) {
        const float value = scaled.data_ptr<float>()[i];
        // Half a step either way, give or take what two orders of summation differ by, unless the table ends there.
        const size_t table = channel_tables[i / inner % channel_tables.size()];
        const auto nearest = static_cast<int32_t>(std::nearbyint(value));
        if (entropy.tables().Clamp(table, nearest) != nearest) continue;
        ASSERT_NEAR(symbols[i], value, 0.5 + 1e-3 * std::max(1.0f, std::abs(value))) << c.name << ", symbol " << i;
      }
    }
  }
}

TEST(TorchScriptSynthesis, TakesAQualityForEachSample) {
  for (const Case& c : Cases()) {
    TorchScriptUnit unit = UnitOf(*c.model);
    const std::vector<double> qualities = QualitiesOf(*c.model);
    const auto batch = static_cast<int64_t>(qualities.size());
    const torch::Tensor symbols =
        torch::randint(-3, 4, SizesOf(WithBatch(batch, c.model->latent_shape())), torch::kShort);
    const torch::Tensor together =
        unit.synthesis.get_method("forward_each")({symbols, torch::tensor(qualities)}).toTensor();
    for (int64_t i = 0; i < batch; ++i) {
      const torch::Tensor alone =
          unit.synthesis.forward({symbols.narrow(0, i, 1), qualities[static_cast<size_t>(i)]}).toTensor();
      EXPECT_LT(RelativeError(together.narrow(0, i, 1), alone), 1e-5) << c.name << ", sample " << i;
    }
  }
}

TEST(TorchScriptUnit, RefusesQualitiesAndShapesThatAreNotTheModels) {
  TorchScriptUnit unit = UnitOf(*ModelOf(testing::ConvSpec()));
  const torch::Tensor symbols = torch::zeros({1, 3, 3, 3}, torch::kShort);
  EXPECT_NO_THROW(unit.synthesis.forward({symbols, 2.0}));
  EXPECT_ANY_THROW(unit.synthesis.forward({symbols, 2.01}));
  EXPECT_ANY_THROW(unit.synthesis.forward({symbols, -0.01}));
  EXPECT_ANY_THROW(unit.synthesis.forward({symbols, std::nan("")}));
  EXPECT_ANY_THROW(unit.synthesis.forward({torch::zeros({1, 4, 3, 3}), 1.0}));
  EXPECT_ANY_THROW(unit.analysis.forward({torch::zeros({1, 3, 6, 6}), 1.0}));
}

TEST(TorchScriptUnit, NeedsNoGradient) {
  const TorchScriptUnit unit = UnitOf(*ModelOf(testing::ConvSpec()));
  EXPECT_GT(unit.synthesis.parameters().size(), 0u);
  for (const torch::Tensor& parameter : unit.synthesis.parameters()) EXPECT_FALSE(parameter.requires_grad());
}

// A backbone on disk and a folder for what is exported, for the length of a test.
class HalvesTest : public ::testing::Test {
 protected:
  HalvesTest()
      : backbone_(testing::SaveNetwork(testing::ResidualNetwork(), "export")), dir_(backbone_ + ".halves") {
    recipe_.backbone.file = backbone_;
    recipe_.backbone.input = {3, 8, 8};
    recipe_.split.point = "layer1";
    recipe_.data.preprocess = {.crop = 8, .resize = 10, .mean = {0.5f, 0.25f, 0.125f}, .std = {0.5f, 1, 2}};
  }
  ~HalvesTest() override {
    std::filesystem::remove_all(dir_);
    std::filesystem::remove(backbone_);
  }

  std::string backbone_, dir_;
  Recipe recipe_;
};

TEST_F(HalvesTest, TogetherReproduceTheUnsplitNetwork) {
  Result<SplitNetwork> network = CutForRecipe(recipe_, "");
  ASSERT_TRUE(network.ok()) << network.status().ToString();
  const Status status = WriteHalves(*network, recipe_, dir_);
  ASSERT_TRUE(status.ok()) << status.ToString();
  torch::NoGradGuard no_grad;
  torch::jit::Module head = torch::jit::load(dir_ + "/head.ts"), tail = torch::jit::load(dir_ + "/tail.ts");
  torch::jit::Module whole = torch::jit::load(backbone_);
  whole.eval();
  const torch::Tensor image = torch::rand({3, 3, 8, 8}, at::detail::createCPUGenerator(7));
  const torch::Tensor features = head.forward({image}).toTensor();
  EXPECT_EQ(SampleShapeOf(features), network->info.shape);
  const torch::Tensor want = whole.forward({image.clone()}).toTensor();
  EXPECT_TRUE(torch::allclose(tail.forward({features}).toTensor(), want, 1e-5, 1e-6));
}

TEST_F(HalvesTest, TellTheDeviceHowToPrepareAnImage) {
  Result<SplitNetwork> network = CutForRecipe(recipe_, "");
  ASSERT_TRUE(network.ok()) << network.status().ToString();
  ASSERT_TRUE(WriteHalves(*network, recipe_, dir_).ok());
  const torch::jit::Module head = torch::jit::load(dir_ + "/head.ts");
  EXPECT_EQ(head.attr("input_shape").toIntVector(), (std::vector<int64_t>{3, 8, 8}));
  EXPECT_EQ(head.attr("resize").toInt(), 10);
  EXPECT_EQ(head.attr("crop").toInt(), 8);
  EXPECT_EQ(head.attr("mean").toDoubleVector(), (std::vector<double>{0.5, 0.25, 0.125}));
  EXPECT_EQ(head.attr("std").toDoubleVector(), (std::vector<double>{0.5, 1, 2}));
}

TEST_F(HalvesTest, AreNotCutFromAnotherBackbone) {
  EXPECT_EQ(CutForRecipe(recipe_, "0123456789abcdef").status().code(), StatusCode::kModelMismatch);
}

TEST_F(HalvesTest, ComeWithImagesOfTheValidationData) {
  recipe_.data.spec = "shapes:train=10,val=12";
  const Status status = WriteImages(recipe_, 5, dir_);
  ASSERT_TRUE(status.ok()) << status.ToString();
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir_)) {
    EXPECT_EQ(entry.file_size(), std::string("P6\n64 64\n255\n").size() + 3 * 64 * 64);
    ++files;
  }
  EXPECT_EQ(files, 5u);
}

}  // namespace
}  // namespace strait
