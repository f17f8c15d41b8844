// Types, layouts and batches at the border of the codec.
#include "codec/tensor_io.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "strait/strait.hpp"
#include "tests/codec/test_models.h"

namespace strait {
namespace {

using testing::ConvSpec;
using testing::IntegerTensor;
using testing::ModelOf;

// A tensor of any type and layout, written and read through WriteSample and ReadSample.
struct Typed {
  std::vector<uint8_t> bytes;
  MutableTensorView view;

  Typed(const Shape& shape, DType dtype, bool channels_last, float scale = 1) {
    bytes.assign(static_cast<size_t>(NumElements(shape)) * ElementBytes(dtype), 0xee);
    view = {bytes.data(), shape, dtype, {}, scale};
    if (channels_last) view.strides = {shape[1] * shape[2] * shape[3], 1, shape[3] * shape[1], shape[1]};
  }
  void Fill(const Tensor& from) {
    const SampleLayout layout = LayoutOf(view).value();
    const int64_t sample = NumElements(WithoutBatch(from.shape));
    for (int64_t n = 0; n < from.shape[0]; ++n)
      WriteSample(from.data.data() + n * sample, from.shape[2], from.shape[3], view, layout, n);
  }
  std::vector<float> Values() const {
    const SampleLayout layout = LayoutOf(view).value();
    const int64_t sample = NumElements(WithoutBatch(view.shape));
    std::vector<float> values(static_cast<size_t>(NumElements(view.shape)));
    for (int64_t n = 0; n < view.shape[0]; ++n)
      ReadSample(view, layout, n, view.shape[2], view.shape[3], values.data() + n * sample);
    return values;
  }
};

float ThroughType(float value, DType dtype, float scale) {
  Tensor one{{1, 1, 1, 1}, {value}};
  Typed typed(one.shape, dtype, false, scale);
  typed.Fill(one);
  return typed.Values()[0];
}

TEST(TensorIo, RoundsToEachTypeAsItsFormatSays) {
  EXPECT_EQ(ThroughType(1.0f + 0x1p-11f, DType::kFloat16, 1), 1.0f);  // half-way: to even
  EXPECT_EQ(ThroughType(1.0f + 0x1.8p-10f, DType::kFloat16, 1), 1.0f + 0x1p-9f);
  EXPECT_EQ(ThroughType(65519.0f, DType::kFloat16, 1), 65504.0f);
  EXPECT_EQ(ThroughType(65520.0f, DType::kFloat16, 1), INFINITY);
  EXPECT_EQ(ThroughType(-0x1p-24f, DType::kFloat16, 1), -0x1p-24f);  // the least subnormal
  EXPECT_EQ(ThroughType(0x1p-25f, DType::kFloat16, 1), 0.0f);        // half of it: to even
  EXPECT_EQ(ThroughType(0x1.fp-15f, DType::kFloat16, 1), 0x1.fp-15f);
  EXPECT_EQ(ThroughType(1.0f + 0x1p-8f, DType::kBfloat16, 1), 1.0f);
  EXPECT_EQ(ThroughType(-3.0e38f, DType::kBfloat16, 1), -0x1.c4p+127f);
  EXPECT_EQ(ThroughType(1.3f, DType::kInt8, 0.5f), 1.5f);
  EXPECT_EQ(ThroughType(1000.0f, DType::kInt8, 0.5f), 63.5f);
  EXPECT_EQ(ThroughType(-1000.0f, DType::kInt8, 0.5f), -64.0f);
}

TEST(TensorIo, ReadsEveryFloat16AsItIs) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31), mantissa = static_cast<int>(bits & 1023);
    if (exponent == 31) continue;
    const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    Typed typed({1, 1, 1, 1}, DType::kFloat16, false);
    typed.bytes = {static_cast<uint8_t>(bits), static_cast<uint8_t>(bits >> 8)};
    typed.view.data = typed.bytes.data();
    const float value = typed.Values()[0];
    ASSERT_EQ(value, static_cast<float>(bits < 32768 ? magnitude : -magnitude)) << bits;
    ASSERT_EQ(ThroughType(value, DType::kFloat16, 1), value) << bits;  // and back
  }
}

TEST(TensorIo, TakesTwoLayoutsAndNamesTheOthers) {
  const auto layout_of = [](const Shape& shape, const Shape& strides) {
    return LayoutOf(TensorView{&shape, shape, DType::kFloat32, strides}).status().code();
  };
  EXPECT_EQ(layout_of({2, 3, 4, 5}, {60, 20, 5, 1}), StatusCode::kOk);
  EXPECT_EQ(layout_of({2, 3, 4, 5}, {60, 1, 15, 3}), StatusCode::kOk);
  EXPECT_EQ(layout_of({2, 3, 4, 5}, {120, 20, 5, 1}), StatusCode::kUnsupported);
  EXPECT_EQ(layout_of({2, 3, 4, 5}, {60, 20, 1, 4}), StatusCode::kUnsupported);
  EXPECT_EQ(layout_of({2, 3, 4, 5}, {-60, 20, 5, 1}), StatusCode::kUnsupported);
  EXPECT_EQ(layout_of({1, 3, 4, 5}, {7, 20, 5, 1}), StatusCode::kOk);  // no second sample: the stride says nothing
  EXPECT_EQ(layout_of({2, 3, 1, 1}, {3, 1, 9, 9}), StatusCode::kOk);
  EXPECT_EQ(layout_of({2, 3, 4, 5}, {60, 20, 5}), StatusCode::kInvalidArgument);
  EXPECT_EQ(layout_of({2, 4, 5}, {20, 5, 1}), StatusCode::kOk);
  EXPECT_EQ(layout_of({2, 4, 5}, {20, 1, 4}), StatusCode::kUnsupported);
  EXPECT_EQ(layout_of({3, 4}, {}), StatusCode::kInvalidArgument);
  EXPECT_EQ(layout_of({1, 4, INT64_MAX, INT64_MAX}, {}), StatusCode::kInvalidArgument);
  EXPECT_EQ(layout_of({1, 4, -6, 6}, {}), StatusCode::kInvalidArgument);
}

// Integers below 128 are exact in every type: the frames must be the same.
TEST(TensorIo, EveryTypeAndLayoutOfATensorHasOneFrame) {
  const auto model = ModelOf(ConvSpec());
  Encoder encoder(model);
  Decoder decoder(model);
  for (const Shape& shape : {Shape{2, 4, 6, 6}, Shape{2, 4, 7, 5}}) {
    Tensor src = IntegerTensor(shape, 5);
    for (float& value : src.data) value = std::nearbyint(value * 100);
    std::vector<uint8_t> want;
    ASSERT_TRUE(encoder.Encode(src.view(), {.quality = 0.5}, want).ok());
    Tensor restored;
    ASSERT_TRUE(decoder.Decode(want, restored).ok());
    for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBfloat16, DType::kInt8}) {
      for (const bool channels_last : {false, true}) {
        Typed typed(shape, dtype, channels_last);
        typed.Fill(src);
        std::vector<uint8_t> frame;
        const Status status = encoder.Encode(typed.view, {.quality = 0.5}, frame);
        ASSERT_TRUE(status.ok()) << status.ToString();
        EXPECT_EQ(frame, want) << DTypeName(dtype) << (channels_last ? ", channels last" : "");

        Typed decoded(shape, dtype, channels_last, 0.25f), expected(shape, dtype, channels_last, 0.25f);
        ASSERT_TRUE(decoder.Decode(frame, decoded.view).ok());
        expected.Fill(restored);
        EXPECT_EQ(decoded.bytes, expected.bytes) << DTypeName(dtype);
      }
    }
  }
}

TEST(TensorIo, NamesTheElementThatIsNotFiniteInAnyLayout) {
  Encoder encoder(ModelOf(ConvSpec()));
  for (const bool channels_last : {false, true}) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBfloat16}) {
      Tensor src = IntegerTensor({2, 4, 6, 6}, 5);
      src.data[203] = -INFINITY;
      Typed typed(src.shape, dtype, channels_last);
      typed.Fill(src);
      std::vector<uint8_t> frame;
      const Status status = encoder.Encode(typed.view, {}, frame);
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
      EXPECT_NE(status.message().find("element 203 is -inf"), std::string::npos) << status.message();
    }
  }
}

TEST(EncodeInto, NeedsNoMoreThanEncodeBoundAndLeavesLessAlone) {
  const auto model = ModelOf(ConvSpec());
  Encoder encoder(model);
  // Values far outside every table: every symbol of a table with an escape takes it.
  Tensor src = IntegerTensor({3, 4, 7, 6}, 5);
  for (size_t i = 0; i < src.data.size(); ++i) src.data[i] = i % 2 == 0 ? 1e7f : -1e7f;
  const size_t bound = encoder.EncodeBound(src.shape).value();
  std::vector<uint8_t> dst(bound, 0x55);
  const EncodeOptions options{.checksum = true};
  const size_t bytes = encoder.EncodeInto(src.view(), options, dst).value();
  EXPECT_LE(bytes, bound);
  EXPECT_GT(bytes, bound / 4) << "the bound is far from the worst case";
  std::vector<uint8_t> short_dst(bytes - 1, 0x55);
  const Status status = encoder.EncodeInto(src.view(), options, short_dst).status();
  EXPECT_EQ(status.code(), StatusCode::kLimitExceeded);
  EXPECT_NE(status.message().find(std::to_string(bytes)), std::string::npos) << status.message();
  EXPECT_EQ(short_dst, std::vector<uint8_t>(bytes - 1, 0x55));
  EXPECT_EQ(encoder.EncodeBound({1, 5, 6, 6}).status().code(), StatusCode::kInvalidArgument);
}

class Batch : public ::testing::Test {
 protected:
  void SetUp() override {
    Encoder encoder(model_);
    for (int i = 0; i < 3; ++i) {
      Tensor src = IntegerTensor({2, 4, 7, 5}, static_cast<uint32_t>(i));
      ASSERT_TRUE(encoder.Encode(src.view(), {.quality = i, .checksum = true}, frames_[i]).ok());
      ASSERT_TRUE(decoder_.Decode(frames_[i], restored_[i]).ok());
      views_.push_back(frames_[i]);
    }
    dst_ = {{6, 4, 7, 5}, std::vector<float>(6 * 140, -7.0f)};
  }
  std::vector<float> Part(int i) const { return {dst_.data.begin() + i * 280, dst_.data.begin() + (i + 1) * 280}; }

  std::shared_ptr<const Model> model_ = ModelOf(ConvSpec());
  Decoder decoder_{model_};
  std::vector<uint8_t> frames_[3];
  Tensor restored_[3];
  std::vector<FrameView> views_;
  Tensor dst_;
};

TEST_F(Batch, RestoresFramesOfDifferentQualitiesAsOneByOne) {
  const Status status = decoder_.DecodeBatch(views_, dst_.view());
  ASSERT_TRUE(status.ok()) << status.ToString();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Part(i), restored_[i].data);
}

TEST_F(Batch, TellsTheUnsoundFromTheSound) {
  frames_[1][8] ^= 1;
  Status statuses[3];
  ASSERT_TRUE(decoder_.DecodeBatch(views_, dst_.view(), statuses).ok());
  EXPECT_TRUE(statuses[0].ok() && statuses[2].ok());
  EXPECT_EQ(statuses[1].code(), StatusCode::kCorrupt);
  EXPECT_EQ(Part(0), restored_[0].data);
  EXPECT_EQ(Part(1), std::vector<float>(280, 0.0f));
  EXPECT_EQ(Part(2), restored_[2].data);
}

TEST_F(Batch, WithoutStatusesNamesTheFrameAndTouchesNothing) {
  frames_[1][8] ^= 1;
  const Status status = decoder_.DecodeBatch(views_, dst_.view());
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_EQ(status.message().find("frame 1: "), 0u) << status.message();
  EXPECT_EQ(dst_.data, std::vector<float>(6 * 140, -7.0f));
}

TEST_F(Batch, RefusesADstThatTheFramesDoNotFill) {
  Status statuses[3];
  dst_.shape = {5, 4, 7, 5};
  EXPECT_EQ(decoder_.DecodeBatch(views_, dst_.view(), statuses).code(), StatusCode::kInvalidArgument);
  dst_.shape = {6, 4, 5, 7};
  ASSERT_TRUE(decoder_.DecodeBatch(views_, dst_.view(), statuses).ok());
  for (const Status& status : statuses) EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(decoder_.DecodeBatch(views_, dst_.view(), std::span(statuses).first(2)).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(decoder_.DecodeBatch({}, dst_.view()).code(), StatusCode::kInvalidArgument);
}

TEST_F(Batch, DecodeIntoAViewChecksItsShape) {
  Tensor one{{1, 4, 7, 5}, std::vector<float>(140, -7.0f)};
  const Status status = decoder_.Decode(frames_[0], one.view());
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("2x4x7x5"), std::string::npos) << status.message();
  EXPECT_EQ(one.data, std::vector<float>(140, -7.0f));
  EXPECT_EQ(decoder_.ShapeOf(frames_[0]).value(), (Shape{2, 4, 7, 5}));
}

}  // namespace
}  // namespace strait
