#include "bench/rd/baseline_codecs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "tests/bench/test_images.h"

namespace strait {
namespace {

constexpr FeatureCodec kFeatureCodecs[] = {FeatureCodec::kRaw, FeatureCodec::kF16Zstd, FeatureCodec::kU8Zstd};

std::vector<float> ReluFeatures(size_t elements) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(-0.3f, 1.7f);
  std::vector<float> values(elements);
  for (float& value : values) value = std::max(0.0f, normal(random));
  return values;
}

std::vector<float> RoundTrip(FeatureCodec codec, const std::vector<float>& src) {
  const auto bytes = EncodeFeature(codec, src);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  std::vector<float> dst(src.size(), NAN);
  const Status status = DecodeFeature(codec, *bytes, dst);
  EXPECT_TRUE(status.ok()) << status.message();
  return dst;
}

TEST(FeatureBaseline, RawIsFourBytesAnElementAndExact) {
  const std::vector<float> src = ReluFeatures(1000);
  EXPECT_EQ(EncodeFeature(FeatureCodec::kRaw, src)->size(), 4000u);
  EXPECT_EQ(RoundTrip(FeatureCodec::kRaw, src), src);
}

TEST(FeatureBaseline, F16KeepsElevenSignificantBits) {
  const std::vector<float> src = ReluFeatures(5000);
  const std::vector<float> dst = RoundTrip(FeatureCodec::kF16Zstd, src);
  for (size_t i = 0; i < src.size(); ++i) EXPECT_NEAR(dst[i], src[i], std::abs(src[i]) * 0x1p-11 + 0x1p-25) << i;
  EXPECT_LT(EncodeFeature(FeatureCodec::kF16Zstd, src)->size(), src.size() * 2);
}

TEST(FeatureBaseline, F16ClampsWhatItCannotHold) {
  const std::vector<float> dst = RoundTrip(FeatureCodec::kF16Zstd, {1e30f, -1e30f, 65504.0f, 1.5f});
  EXPECT_EQ(dst, (std::vector<float>{65504.0f, -65504.0f, 65504.0f, 1.5f}));
}

TEST(FeatureBaseline, U8ErrsByAtMostHalfAStepOfItsRange) {
  const std::vector<float> src = ReluFeatures(5000);
  const float step = (*std::max_element(src.begin(), src.end()) - *std::min_element(src.begin(), src.end())) / 255;
  const std::vector<float> dst = RoundTrip(FeatureCodec::kU8Zstd, src);
  for (size_t i = 0; i < src.size(); ++i) EXPECT_NEAR(dst[i], src[i], step * 0.5001f) << i;
}

TEST(FeatureBaseline, U8BytesBeginWithMinimumAndMaximum) {
  const auto bytes = EncodeFeature(FeatureCodec::kU8Zstd, std::vector<float>{2.5f, -1.25f, 0.0f, 7.75f});
  ASSERT_TRUE(bytes.ok());
  float range[2];
  std::memcpy(range, bytes->data(), sizeof range);
  EXPECT_EQ(range[0], -1.25f);
  EXPECT_EQ(range[1], 7.75f);
}

TEST(FeatureBaseline, ConstantAndExtremeTensorsSurvive) {
  constexpr float kMax = std::numeric_limits<float>::max();
  EXPECT_EQ(RoundTrip(FeatureCodec::kU8Zstd, std::vector<float>(50, 3.25f)), std::vector<float>(50, 3.25f));
  const std::vector<float> dst = RoundTrip(FeatureCodec::kU8Zstd, {-kMax, kMax});
  EXPECT_NEAR(dst[0] / kMax, -1, 1e-6);
  EXPECT_NEAR(dst[1] / kMax, 1, 1e-6);
}

TEST(FeatureBaseline, RefusesEmptyAndNonFiniteTensors) {
  for (const FeatureCodec codec : kFeatureCodecs) {
    EXPECT_EQ(EncodeFeature(codec, {}).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(EncodeFeature(codec, std::vector<float>{1, NAN}).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(EncodeFeature(codec, std::vector<float>{INFINITY}).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST(FeatureBaseline, ReportsBytesCutShortOrOfAnotherSize) {
  const std::vector<float> src = ReluFeatures(300);
  std::vector<float> dst(300), other(301);
  for (const FeatureCodec codec : kFeatureCodecs) {
    const auto bytes = EncodeFeature(codec, src);
    ASSERT_TRUE(bytes.ok());
    for (size_t size = 0; size < bytes->size(); size += 7) {
      EXPECT_FALSE(DecodeFeature(codec, std::span(*bytes).first(size), dst).ok())
          << FeatureCodecName(codec) << size;
    }
    EXPECT_FALSE(DecodeFeature(codec, *bytes, other).ok()) << FeatureCodecName(codec);
  }
}

TEST(ImageBaseline, PngIsExact) {
  const Image src = TestImage(37, 53);
  const auto bytes = EncodeImage(ImageCodec::kPng, src, 0);
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  const auto dst = DecodeImage(*bytes);
  ASSERT_TRUE(dst.ok()) << dst.status().message();
  EXPECT_EQ(dst->height, 37);
  EXPECT_EQ(dst->width, 53);
  EXPECT_EQ(dst->pixels, src.pixels);
}

TEST(ImageBaseline, MoreQualityCostsMoreBytesAndErrsLess) {
  const Image src = TestImage(96, 96);
  for (const ImageCodec codec : {ImageCodec::kJpeg, ImageCodec::kWebp}) {
    size_t previous_bytes = 0;
    double first_error = 0, last_error = 0;
    for (const int quality : ImageQualities(codec)) {
      const auto bytes = EncodeImage(codec, src, quality);
      ASSERT_TRUE(bytes.ok()) << bytes.status().message();
      EXPECT_GE(bytes->size(), previous_bytes) << ImageCodecName(codec) << quality;
      const auto dst = DecodeImage(*bytes);
      ASSERT_TRUE(dst.ok()) << dst.status().message();
      last_error = MeanError(src, *dst);
      if (previous_bytes == 0) first_error = last_error;
      previous_bytes = bytes->size();
    }
    EXPECT_LT(last_error, first_error) << ImageCodecName(codec);
    EXPECT_LT(last_error, 4) << "channels swapped?";
  }
}

TEST(ImageBaseline, WritesTheFormatItNames) {
  const Image src = TestImage(16, 16);
  const auto jpeg = EncodeImage(ImageCodec::kJpeg, src, 50);
  const auto webp = EncodeImage(ImageCodec::kWebp, src, 50);
  const auto png = EncodeImage(ImageCodec::kPng, src, 0);
  ASSERT_TRUE(jpeg.ok() && webp.ok() && png.ok());
  EXPECT_EQ(std::memcmp(jpeg->data(), "\xFF\xD8\xFF", 3), 0);
  EXPECT_EQ(std::memcmp(webp->data(), "RIFF", 4), 0);
  EXPECT_EQ(std::memcmp(png->data(), "\x89PNG", 4), 0);
}

TEST(ImageBaseline, RefusesBadQualityImageAndBytes) {
  const Image src = TestImage(16, 16);
  EXPECT_EQ(EncodeImage(ImageCodec::kJpeg, src, 0).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(EncodeImage(ImageCodec::kWebp, src, 101).status().code(), StatusCode::kInvalidArgument);
  Image bad = src;
  bad.pixels.pop_back();
  EXPECT_EQ(EncodeImage(ImageCodec::kPng, bad, 0).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(DecodeImage({}).status().code(), StatusCode::kTruncated);
  EXPECT_EQ(DecodeImage(std::vector<uint8_t>(40, 7)).status().code(), StatusCode::kCorrupt);
}

}  // namespace
}  // namespace strait
