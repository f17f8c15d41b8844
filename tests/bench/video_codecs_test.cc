#include "bench/rd/video_codecs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "bench/rd/subprocess.h"

namespace strait {
namespace {

// Colours that change over the image and from one to the next.
Image TestImage(int side, int shift) {
  Image image{side, side, {}};
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      image.pixels.push_back(static_cast<uint8_t>(40 + 160 * x / side));
      image.pixels.push_back(static_cast<uint8_t>((20 * shift + 2 * y) % 200));
      image.pixels.push_back(static_cast<uint8_t>(255 * y / side));
    }
  }
  return image;
}

double MeanError(const Image& a, const Image& b) {
  double sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

TEST(VideoCodecs, GiveEachImageBackInOrderForFewerBytesAtHigherRateFactors) {
  if (!CheckFfmpeg().ok()) GTEST_SKIP() << "no ffmpeg";
  const std::vector<Image> images = {TestImage(64, 0), TestImage(64, 3), TestImage(64, 6)};
  for (const VideoCodec codec : {VideoCodec::kAvif, VideoCodec::kHevc}) {
    const std::vector<int> qualities = VideoQualities(codec);
    const Result<CodedImages> fine = CodeImages(codec, images, qualities.back());
    const Result<CodedImages> coarse = CodeImages(codec, images, qualities.front());
    ASSERT_TRUE(fine.ok()) << fine.status().ToString();
    ASSERT_TRUE(coarse.ok()) << coarse.status().ToString();
    for (size_t i = 0; i < images.size(); ++i) {
      EXPECT_GT(coarse->bytes[i], 0u);
      EXPECT_LT(coarse->bytes[i], fine->bytes[i]);
      EXPECT_LT(MeanError(fine->decoded[i], images[i]), 12) << VideoCodecName(codec) << " image " << i;
      EXPECT_LT(MeanError(fine->decoded[i], images[i]), MeanError(fine->decoded[i], images[(i + 1) % 3]));
    }
  }
}

TEST(VideoCodecs, RefuseImagesOfSeveralSizes) {
  EXPECT_EQ(CodeImages(VideoCodec::kHevc, {TestImage(64, 0), TestImage(32, 0)}, 30).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeImages(VideoCodec::kHevc, {TestImage(63, 0)}, 30).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeImages(VideoCodec::kHevc, {}, 30).status().code(), StatusCode::kInvalidArgument);
}

TEST(Subprocess, SaysWhatAProgramSaid) {
  EXPECT_TRUE(HasProgram("sh"));
  EXPECT_FALSE(HasProgram("no-such-program-anywhere"));
  EXPECT_TRUE(RunProgram({"sh", "-c", "exit 0"}).ok());
  const Status status = RunProgram({"sh", "-c", "echo the reason >&2; exit 3"});
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find("the reason"), std::string::npos) << status.message();
  EXPECT_EQ(RunProgram({"no-such-program-anywhere"}).code(), StatusCode::kIo);
}

}  // namespace
}  // namespace strait
