// Context models: the tables that neighbours choose, against the words of docs/format.md, and what becomes of
// frames.
#include "codec/entropy_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "codec/quantizer.h"
#include "strait/strait.hpp"
#include "tests/codec/test_models.h"

namespace strait {
namespace {

using testing::ContextConvSpec;
using testing::ContextTokenSpec;

// Small symbols with a few far ones, different for each seed.
std::vector<int16_t> Symbols(const Shape& shape, uint32_t seed) {
  const std::vector<float> values = testing::IntegerValues(static_cast<size_t>(NumElements(shape)), seed);
  std::vector<int16_t> symbols;
  for (const float value : values) {
    const int symbol = static_cast<int>(value * value * value * 6);
    symbols.push_back(static_cast<int16_t>(std::abs(value) > 0.98f ? 3000 * symbol : symbol));
  }
  return symbols;
}

// A latent by its axes, tokens as one row.
struct Latent {
  const std::vector<int16_t>& symbols;
  Shape shape;
  bool tokens() const { return shape.size() == 3; }
  int64_t channels() const { return tokens() ? shape[2] : shape[1]; }
  int64_t height() const { return tokens() ? 1 : shape[2]; }
  int64_t width() const { return tokens() ? shape[1] : shape[3]; }
  size_t Index(int64_t n, int64_t c, int64_t y, int64_t x) const {
    return static_cast<size_t>(tokens() ? (n * width() + x) * channels() + c
                                        : ((n * channels() + c) * height() + y) * width() + x);
  }
  int At(int64_t n, int64_t c, int64_t y, int64_t x) const {
    return y < 0 || x < 0 || x >= width() ? 0 : std::clamp<int>(symbols[Index(n, c, y, x)], -15, 15);
  }
};

int CellOf(const Latent& latent, const ContextWeights& w, int64_t n, int64_t c, int64_t y, int64_t x) {
  const int terms[] = {w[0] * latent.At(n, c, y, x - 1), w[1] * latent.At(n, c, y - 1, x),
                       w[2] * latent.At(n, c, y - 1, x - 1), w[3] * latent.At(n, c, y - 1, x + 1)};
  int above = 0, below = 0;
  for (const int term : terms) (term > 0 ? above : below) += std::abs(term);
  return 16 * std::min(above, 15) + std::min(below, 15);
}

struct Case {
  ModelSpec spec;
  Shape shape;  // of the latent
};

std::vector<Case> Cases() {
  Case other_weights{ContextConvSpec(), {2, 3, 5, 4}};
  other_weights.spec.context.weights = {-15, 15, 0, -7};
  return {{ContextConvSpec(), {1, 3, 3, 3}},
          {ContextConvSpec(), {3, 3, 4, 7}},
          {ContextConvSpec(), {1, 3, 1, 1}},
          {ContextConvSpec(), {1, 3, 40, 60}},  // of more than one lane
          other_weights,
          {ContextTokenSpec(), {2, 9, 3}}};
}

TEST(ContextModel, CodesPositionByPositionWithTheTablesThatNeighboursChoose) {
  for (Case& c : Cases()) {
    const ContextSpec context = c.spec.context;
    const CdfTableSet tables = CdfTableSet::Create(c.spec.tables, c.spec.precision).value();
    const auto last = static_cast<int>(c.spec.levels.size() - 1) * kQualitySteps;
    const int sets_per_level = c.spec.sets_per_level;
    const EntropyModel model = EntropyModel::Create(c.spec).value();
    for (const int code : {0, 8, last}) {
      if (code > last) continue;
      const size_t set = TableSetOf(code, sets_per_level);
      std::vector<int16_t> symbols = Symbols(c.shape, 7 + static_cast<uint32_t>(code));
      const Latent latent{symbols, c.shape};
      const auto row_of = [&](int64_t ch) {
        return (set * static_cast<size_t>(latent.channels()) + static_cast<size_t>(ch)) * kContextCells;
      };
      const auto is_certain = [&](int64_t ch) { return context.tables[row_of(ch)] == 0; };
      for (size_t i = 0; i < symbols.size(); ++i) {  // as the quantiser leaves them
        if (is_certain(static_cast<int64_t>(i / InnerSize(c.shape)) % latent.channels())) symbols[i] = 0;
      }
      std::vector<int16_t> coded;
      std::vector<uint16_t> indices;
      const std::vector<uint8_t> cells = ContextCells(symbols, c.shape, context.weights);
      for (int64_t n = 0; n < c.shape[0]; ++n) {
        for (int64_t y = 0; y < latent.height(); ++y) {
          for (int64_t x = 0; x < latent.width(); ++x) {
            for (int64_t ch = 0; ch < latent.channels(); ++ch) {
              const size_t i = latent.Index(n, ch, y, x);
              const int cell = CellOf(latent, context.weights, n, ch, y, x);
              EXPECT_EQ(cells[i], cell);
              if (is_certain(ch)) continue;
              coded.push_back(symbols[i]);
              indices.push_back(context.tables[row_of(ch) + static_cast<size_t>(cell)]);
            }
          }
        }
      }
      std::vector<uint8_t> want;
      ASSERT_TRUE(RansEncode<int16_t>(coded, TableIndices{indices, 0}, tables, want).ok());
      SymbolBuffers buffers;
      ASSERT_TRUE(model.Encode(symbols, c.shape, code, buffers).ok());
      std::vector<uint8_t> payload(buffers.encoder.payload_bytes());
      buffers.encoder.WritePayload(payload.data());
      EXPECT_EQ(payload, want);
      const double estimate = model.EstimateBytes(symbols, c.shape, code, buffers);
      EXPECT_NEAR(static_cast<double>(payload.size()), estimate, 3 + 0.01 * estimate);

      std::vector<int16_t> decoded(symbols.size(), 99);
      const Status status = model.Decode(payload, c.shape, code, buffers, decoded);
      ASSERT_TRUE(status.ok()) << status.ToString();
      EXPECT_EQ(decoded, symbols);
    }
  }
}

TEST(ContextModel, WhoseChannelsAreAllCertainSaysNothing) {
  ModelSpec spec = ContextConvSpec();
  std::ranges::fill(spec.context.tables, uint8_t{0});
  const EntropyModel model = EntropyModel::Create(spec).value();
  const Shape shape = {2, 3, 3, 3};
  SymbolBuffers buffers;
  std::vector<int16_t> symbols(54), decoded(54, 1);
  ASSERT_TRUE(model.Encode(symbols, shape, 0, buffers).ok());
  EXPECT_EQ(buffers.encoder.payload_bytes(), 0u);
  ASSERT_TRUE(model.Decode({}, shape, 0, buffers, decoded).ok());
  EXPECT_EQ(decoded, symbols);
  const uint8_t byte[] = {77};
  EXPECT_FALSE(model.Decode(byte, shape, 0, buffers, decoded).ok());
}

TEST(ContextModel, SurvivesHostilePayloads) {
  ModelSpec spec = ContextConvSpec();
  const EntropyModel model = EntropyModel::Create(spec).value();
  const Shape shape = {1, 3, 9, 8};
  const std::vector<int16_t> symbols = Symbols(shape, 3);
  SymbolBuffers buffers;
  ASSERT_TRUE(model.Encode(symbols, shape, 0, buffers).ok());
  std::vector<uint8_t> payload(buffers.encoder.payload_bytes());
  buffers.encoder.WritePayload(payload.data());
  std::vector<int16_t> decoded(symbols.size());
  size_t refused = 0;
  for (size_t length = 0; length < payload.size(); ++length)
    EXPECT_FALSE(model.Decode(std::span(payload).first(length), shape, 0, buffers, decoded).ok()) << length;
  for (size_t bit = 0; bit < 8 * payload.size(); ++bit) {
    payload[bit / 8] ^= 1 << (bit % 8);
    refused += !model.Decode(payload, shape, 0, buffers, decoded).ok();
    payload[bit / 8] ^= 1 << (bit % 8);
  }
  EXPECT_GT(refused, 7 * payload.size());
  ASSERT_TRUE(model.Decode(payload, shape, 0, buffers, decoded).ok());
  EXPECT_EQ(decoded, symbols);
}

TEST(ContextModel, FramesKeepTheirBudgetAndRestoreWhatTheyHold) {
  for (const auto& [spec, shape] :
       {std::pair(ContextConvSpec(), Shape{2, 4, 11, 6}), std::pair(ContextTokenSpec(), Shape{1, 8, 6})}) {
    const auto model = testing::ModelOf(spec);
    ASSERT_NE(model, nullptr);
    Encoder encoder(model);
    Decoder decoder(model);
    const Tensor src = testing::IntegerTensor(shape, 12);
    size_t largest = 0;
    for (double quality = 0; quality <= static_cast<double>(spec.levels.size()) - 1; quality += 0.25) {
      std::vector<uint8_t> frame;
      ASSERT_TRUE(encoder.Encode(src.view(), {.quality = quality, .checksum = true}, frame).ok());
      EXPECT_LE(frame.size(), encoder.EncodeBound(shape).value());
      largest = std::max(largest, frame.size());
      std::vector<int16_t> want, got;
      Shape latent_shape;
      ASSERT_TRUE(encoder.Quantize(src.view(), quality, want).ok());
      ASSERT_TRUE(decoder.DecodeSymbols(frame, got, latent_shape).ok());
      EXPECT_EQ(got, want);
      Tensor restored, synthesised;
      ASSERT_TRUE(decoder.Decode(frame, restored).ok());
      EXPECT_EQ(restored.shape, shape);
      std::vector<uint8_t> again;
      ASSERT_TRUE(encoder.Encode(src.view(), {.quality = quality, .checksum = true}, again).ok());
      EXPECT_EQ(again, frame);
    }
    for (size_t budget = largest; budget > 4; budget = budget * 7 / 8) {
      std::vector<uint8_t> frame;
      const Status status = encoder.Encode(src.view(), {.max_bytes = budget}, frame);
      EXPECT_TRUE(status.ok() ? frame.size() <= budget : status.code() == StatusCode::kLimitExceeded) << budget;
    }
  }
}

}  // namespace
}  // namespace strait
