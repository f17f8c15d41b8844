#include "bench/rd/video_codecs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "bench/rd/subprocess.h"
#include "tests/bench/test_images.h"
#include "training/interrupt.h"

namespace strait {
namespace {

TEST(VideoCodecs, GiveEachImageBackInOrderForFewerBytesAtHigherRateFactors) {
  if (!HasProgram("ffmpeg")) GTEST_SKIP() << "no ffmpeg";
  const std::vector<Image> images = {TestImage(64, 64), TestImage(64, 64, 20), TestImage(64, 64, -20)};
  for (const VideoCodec codec : {VideoCodec::kAvif, VideoCodec::kHevc}) {
    if (const Status status = CheckVideoCodec(codec); !status.ok()) GTEST_SKIP() << status.ToString();
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
  EXPECT_EQ(CodeImages(VideoCodec::kHevc, {TestImage(64, 64), TestImage(32, 32)}, 30).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeImages(VideoCodec::kHevc, {TestImage(63, 63)}, 30).status().code(), StatusCode::kInvalidArgument);
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

TEST(Subprocess, EndsInAnErrorWhenTheRunIsInterrupted) {
  Status status;
  {
    const InterruptScope interrupt;
    status = RunProgram({"sh", "-c", "kill -TERM $PPID"});
  }
  EXPECT_NE(status.message().find("interrupted"), std::string::npos) << status.ToString();
  const InterruptScope another;
  EXPECT_TRUE(RunProgram({"sh", "-c", "exit 0"}).ok());
}

}  // namespace
}  // namespace strait
