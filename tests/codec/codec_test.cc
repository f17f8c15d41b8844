// Encoder and Decoder together.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "codec/frame.h"
#include "codec/model_impl.h"
#include "codec/quantizer.h"
#include "strait/strait.hpp"
#include "tests/codec/test_models.h"

namespace strait {
namespace {

using testing::ConvSpec;
using testing::FrameOf;
using testing::IntegerTensor;
using testing::ModelOf;
using testing::TokenSpec;

TensorView View(const Tensor& tensor) { return {tensor.data.data(), tensor.shape}; }

class Codec : public ::testing::Test {
 protected:
  std::vector<uint8_t> Encode(const Tensor& src, const EncodeOptions& options = {}) {
    std::vector<uint8_t> frame;
    const Status status = encoder_.Encode(View(src), options, frame);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return frame;
  }

  std::shared_ptr<const Model> model_ = ModelOf(ConvSpec());
  Encoder encoder_{model_};
  Decoder decoder_{model_};
};

TEST_F(Codec, DecodesTheSymbolsThatWereQuantizedAtEveryQualityAndShape) {
  for (const Shape& shape : {Shape{1, 4, 6, 6}, Shape{3, 4, 6, 6}, Shape{1, 4, 10, 2}, Shape{7, 4, 2, 4}}) {
    const Tensor src = IntegerTensor(shape, 11);
    for (int code = 0; code <= 32; code += 5) {
      const double quality = code / 16.0;
      std::vector<int16_t> want, got;
      ASSERT_TRUE(encoder_.Quantize(View(src), quality, want).ok());
      Shape latent_shape;
      const Status status = decoder_.DecodeSymbols(Encode(src, {.quality = quality}), got, latent_shape);
      ASSERT_TRUE(status.ok()) << status.ToString();
      EXPECT_EQ(got, want);
      EXPECT_EQ(latent_shape, (Shape{shape[0], 3, shape[2] / 2, shape[3] / 2}));
      Tensor decoded, synthesized;
      ASSERT_TRUE(decoder_.Decode(Encode(src, {.quality = quality}), decoded).ok());
      ASSERT_TRUE(decoder_.Synthesize(want, latent_shape, quality, synthesized).ok());
      EXPECT_EQ(decoded.shape, shape);
      EXPECT_EQ(decoded.data, synthesized.data);
    }
  }
}

TEST(TokenCodec, RestoresTokenTensors) {
  const auto model = ModelOf(TokenSpec());
  Encoder encoder(model);
  Decoder decoder(model);
  for (const Shape& shape : {Shape{1, 5, 6}, Shape{3, 5, 6}, Shape{2, 9, 6}}) {
    const Tensor src = IntegerTensor(shape, 3);
    std::vector<uint8_t> frame;
    ASSERT_TRUE(encoder.Encode(View(src), {}, frame).ok());
    std::vector<int16_t> want, got;
    Shape latent_shape;
    ASSERT_TRUE(encoder.Quantize(View(src), 0, want).ok());
    ASSERT_TRUE(decoder.DecodeSymbols(frame, got, latent_shape).ok());
    EXPECT_EQ(got, want);
    Tensor restored;
    ASSERT_TRUE(decoder.Decode(frame, restored).ok());
    EXPECT_EQ(restored.shape, shape);
  }
}

TEST_F(Codec, AddsAtMost3BytesOr7WithChecksumForTheDefaultShape) {
  const Tensor src = IntegerTensor({1, 4, 6, 6}, 5);
  for (const bool checksum : {false, true}) {
    for (const double quality : {0.0, 1.0, 2.0}) {
      const auto frame = Encode(src, {.quality = quality, .checksum = checksum});
      const FrameInfo info = ReadFrameInfo(frame).value();
      EXPECT_LE(info.header_bytes, checksum ? 7u : 3u);
      EXPECT_EQ(info.header_bytes + info.payload_bytes, frame.size());
      EXPECT_EQ(info.quality, quality);
      EXPECT_FALSE(info.has_shape);
    }
  }
}

TEST_F(Codec, KeepsToMaxBytesAndUsesTheBestQualityThatFits) {
  const Tensor src = IntegerTensor({2, 4, 6, 6}, 5);
  std::vector<size_t> sizes;
  for (int code = 0; code <= 32; ++code) sizes.push_back(Encode(src, {.quality = code / 16.0}).size());
  const size_t smallest = *std::min_element(sizes.begin(), sizes.end());
  const size_t largest = *std::max_element(sizes.begin(), sizes.end());
  ASSERT_LT(smallest, largest);
  for (size_t budget = smallest; budget <= largest; ++budget) {
    const auto frame = Encode(src, {.max_bytes = budget});
    EXPECT_LE(frame.size(), budget);
    // No code just above the one used fits.
    const int used = static_cast<int>(ReadFrameInfo(frame)->quality * 16);
    for (int code = used + 1; code <= std::min(used + 4, 32); ++code) EXPECT_GT(sizes[code], budget);
  }
  std::vector<uint8_t> frame = {1, 2, 3};
  const Status status = encoder_.Encode(View(src), {.max_bytes = smallest - 1}, frame);
  EXPECT_EQ(status.code(), StatusCode::kLimitExceeded);
  EXPECT_NE(status.message().find(std::to_string(smallest) + " bytes"), std::string::npos) << status.message();
  EXPECT_EQ(frame, (std::vector<uint8_t>{1, 2, 3}));
}

TEST_F(Codec, NamesTheElementThatIsNotFinite) {
  for (const float bad : {NAN, INFINITY}) {
    Tensor src = IntegerTensor({1, 4, 6, 6}, 5);
    src.data[17] = bad;
    std::vector<uint8_t> frame;
    const Status status = encoder_.Encode(View(src), {}, frame);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("element 17"), std::string::npos) << status.message();
  }
}

TEST_F(Codec, RefusesWhatTheCallerGotWrong) {
  std::vector<uint8_t> frame;
  const auto code_of = [&](const Shape& shape, const EncodeOptions& options) {
    return encoder_.Encode(View(IntegerTensor(shape, 5)), options, frame).code();
  };
  EXPECT_EQ(code_of({1, 4, 6, 6}, {.quality = 2.5}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code_of({1, 4, 6, 6}, {.quality = -0.5}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code_of({1, 4, 6, 6}, {.quality = NAN}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code_of({1, 4, 6, 6}, {.quality = 1, .max_bytes = 100}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code_of({1, 5, 6, 6}, {}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code_of({4, 6, 6}, {}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code_of({0, 4, 6, 6}, {}), StatusCode::kInvalidArgument);
  EXPECT_EQ(encoder_.Encode({nullptr, {1, 4, 6, 6}}, {}, frame).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Encoder(nullptr).Encode(View(IntegerTensor({1, 4, 6, 6}, 1)), {}, frame).code(),
            StatusCode::kInvalidArgument);
}

// The unit halves and doubles: odd sizes are padded by their last row and column.
TEST_F(Codec, PadsSizesTheUnitCannotRestoreAndCropsThem) {
  const Tensor src = IntegerTensor({2, 4, 7, 5}, 5);
  Tensor padded{{2, 4, 8, 6}, {}};
  for (int64_t plane = 0; plane < 8; ++plane) {
    for (int64_t y = 0; y < 8; ++y) {
      for (int64_t x = 0; x < 6; ++x)
        padded.data.push_back(src.data[(plane * 7 + std::min<int64_t>(y, 6)) * 5 + std::min<int64_t>(x, 4)]);
    }
  }
  std::vector<int16_t> symbols, padded_symbols;
  ASSERT_TRUE(encoder_.Quantize(View(src), 1, symbols).ok());
  ASSERT_TRUE(encoder_.Quantize(View(padded), 1, padded_symbols).ok());
  EXPECT_EQ(symbols, padded_symbols);
  Tensor restored, whole;
  ASSERT_TRUE(decoder_.Decode(Encode(src, {.quality = 1}), restored).ok());
  ASSERT_TRUE(decoder_.Decode(Encode(padded, {.quality = 1}), whole).ok());
  ASSERT_EQ(restored.shape, src.shape);
  for (int64_t plane = 0; plane < 8; ++plane) {
    for (int64_t y = 0; y < 7; ++y) {
      for (int64_t x = 0; x < 5; ++x)
        EXPECT_EQ(restored.data[(plane * 7 + y) * 5 + x], whole.data[(plane * 8 + y) * 6 + x]);
    }
  }
}

TEST_F(Codec, DecodeLeavesDstUntouchedOnError) {
  auto frame = Encode(IntegerTensor({1, 4, 6, 6}, 5), {.checksum = true});
  frame.back() ^= 1;
  Tensor dst{{2}, {1.5f, 2.5f}};
  EXPECT_FALSE(decoder_.Decode(frame, dst).ok());
  EXPECT_EQ(dst.shape, (Shape{2}));
  EXPECT_EQ(dst.data, (std::vector<float>{1.5f, 2.5f}));
}

TEST_F(Codec, TellsAWrongModelByTheChecksum) {
  ModelSpec spec = ConvSpec();
  spec.provenance_json = R"({"unit":"sister"})";
  const auto sister = ModelOf(spec);
  ASSERT_NE(sister, nullptr);
  ASSERT_NE(sister->id(), model_->id());
  Tensor dst;
  const Status status = Decoder(sister).Decode(Encode(IntegerTensor({1, 4, 6, 6}, 5), {.checksum = true}), dst);
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_NE(status.message().find("another model than " + ModelIdText(sister->id())), std::string::npos);
}

TEST_F(Codec, HoldsFramesToTheLimits) {
  const auto frame = Encode(IntegerTensor({5, 4, 6, 6}, 5));
  Tensor dst;
  EXPECT_EQ(Decoder(model_, {.limits = {.max_tensor_elements = 5 * 144 - 1}}).Decode(frame, dst).code(),
            StatusCode::kLimitExceeded);
  EXPECT_TRUE(Decoder(model_, {.limits = {.max_tensor_elements = 5 * 144}}).Decode(frame, dst).ok());
  // A few bytes that ask for the moon.
  const auto huge = FrameOf({0, false, {4000000000, 4, 6, 6}});
  EXPECT_EQ(decoder_.Decode(huge, dst).code(), StatusCode::kLimitExceeded);
}

TEST_F(Codec, RefusesShapesAModelCannotHaveMade) {
  Tensor dst;
  const auto code_of = [&](const Shape& shape, int quality) {
    return decoder_.Decode(FrameOf({quality, false, shape}), dst).code();
  };
  EXPECT_EQ(code_of({1, 4, 6, 6}, 0), StatusCode::kCorrupt);  // the default shape must be left out
  EXPECT_EQ(code_of({1, 5, 6, 6}, 0), StatusCode::kModelMismatch);
  EXPECT_EQ(code_of({4, 6, 6}, 0), StatusCode::kModelMismatch);
  EXPECT_EQ(code_of({}, 33), StatusCode::kModelMismatch);
}

TEST_F(Codec, RefusesSymbolsThatDoNotFillTheLatent) {
  Tensor dst;
  const std::vector<int16_t> symbols(26);
  EXPECT_EQ(decoder_.Synthesize(symbols, {1, 3, 3, 3}, 0, dst).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(decoder_.Synthesize(symbols, {1, 2, 13, 1}, 0, dst).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(decoder_.Synthesize(symbols, {-1, 3, 3, 3}, 0, dst).code(), StatusCode::kInvalidArgument);
}

// The search for a budget rests on it: one cost on every instruction set, and frames as near as promised.
TEST(Quantizer, CostSaysTheSizeOfAPayload) {
  const ModelSpec spec = ConvSpec();
  const CdfTableSet tables = CdfTableSet::Create(spec.tables, spec.precision).value();
  const auto channels = static_cast<size_t>(spec.latent_channels());
  for (const size_t inner : {size_t{1}, size_t{9}, size_t{700}, size_t{1} << 13, size_t{1} << 18}) {
    const Tensor latent = IntegerTensor({1, static_cast<int64_t>(channels), 1, static_cast<int64_t>(inner)}, 8);
    const SymbolLayout layout{0, channels, inner};
    std::vector<uint32_t> channel_tables(channels);
    std::iota(channel_tables.begin(), channel_tables.end(), 0);
    const std::vector<float> gains(channels, 3.0f);
    std::vector<int16_t> symbols(latent.data.size());
    ASSERT_TRUE(QuantizeLatent(latent.data, latent.shape, gains, tables, channel_tables, symbols).ok());
    const double bits = CostOfLatent(latent.data, latent.shape, gains, tables, channel_tables).value();
    EXPECT_NEAR(bits, RansCostBits<int16_t>(symbols, layout, tables), 1e-9 * bits);
    std::vector<uint8_t> payload;
    ASSERT_TRUE(RansEncode<int16_t>(symbols, layout, tables, payload).ok());
    const double estimate = RansPayloadEstimate(bits, symbols.size());
    EXPECT_GE(static_cast<double>(payload.size()), estimate - RansEstimateError(symbols.size())) << inner;
    EXPECT_LE(static_cast<double>(payload.size()), estimate * 1.0003 + 2) << inner;
  }
}

TEST_F(Codec, TakesLimitsThatAreNone) {
  const Limits none{INT64_MAX, INT64_MAX, INT64_MAX};
  std::vector<uint8_t> frame;
  Tensor restored;
  EXPECT_TRUE(Encoder(model_, {.limits = none}).Encode(View(IntegerTensor({1, 4, 6, 6}, 5)), {}, frame).ok());
  EXPECT_TRUE(Decoder(model_, {.limits = none}).Decode(frame, restored).ok());
}

TEST(Quantizer, RoundsHalvesToEvenAndSaturates) {
  CdfTable table{-1, true, std::vector<uint32_t>(4, 64)};
  const CdfTableSet tables = CdfTableSet::Create({table}, 8).value();
  const std::vector<float> latent = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 1e9f, -1e9f, 0.49f};
  std::vector<int16_t> symbols(latent.size());
  const std::vector<float> gains = {1.0f};
  const std::vector<uint32_t> channel_tables = {0};
  ASSERT_TRUE(QuantizeLatent(latent, {1, 1, 8, 1}, gains, tables, channel_tables, symbols).ok());
  EXPECT_EQ(symbols, (std::vector<int16_t>{0, 2, 2, 0, -2, 32767, -32768, 0}));
}

TEST(Quantizer, InterpolatesGainsGeometricallyAndExactlyAtLevels) {
  const std::vector<std::vector<float>> gains = {{1.0f, 3.0f}, {4.0f, 12.0f}};
  EXPECT_EQ(InterpolateGains(gains, 0), gains[0]);
  EXPECT_EQ(InterpolateGains(gains, 16), gains[1]);
  EXPECT_FLOAT_EQ(InterpolateGains(gains, 8)[0], 2.0f);
  EXPECT_FLOAT_EQ(InterpolateGains(gains, 8)[1], 6.0f);
}

TEST(Quantizer, PicksTheNearestTableSetInIntegers) {
  EXPECT_EQ(TableSetOf(0, 1), 0u);
  EXPECT_EQ(TableSetOf(7, 1), 0u);
  EXPECT_EQ(TableSetOf(8, 1), 1u);
  EXPECT_EQ(TableSetOf(32, 4), 8u);
  EXPECT_EQ(TableSetOf(33, 16), 33u);
}

}  // namespace
}  // namespace strait
