#include "training/run_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

namespace strait {
namespace {

std::string TestPath(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "strait_run_log_test";
  std::filesystem::create_directories(folder);
  return folder / name;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(RunLog, WritesOneFlushedJsonObjectALine) {
  const std::string path = TestPath("lines.jsonl");
  Result<RunLog> log = RunLog::Open(path, -1);
  ASSERT_TRUE(log.ok()) << log.status().message();
  ASSERT_TRUE(log->Write({{"step", 1}, {"loss", 0.5}}).ok());
  // Read back while the log is open: an interrupted run keeps its lines.
  EXPECT_EQ(Contents(path), "{\"loss\":0.5,\"step\":1}\n");
  RunLog moved = std::move(log).value();
  ASSERT_TRUE(moved.Write({{"step", 2}, {"note", "\xff not UTF-8"}}).ok());
  const std::string text = Contents(path);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(RunLog, StartsEmptyWhenNothingIsKept) {
  const std::string path = TestPath("fresh.jsonl");
  std::ofstream(path) << "{\"step\":1}\n";
  ASSERT_TRUE(RunLog::Open(path, -1).ok());
  EXPECT_EQ(Contents(path), "");
}

TEST(RunLog, ResumeKeepsCompleteLinesUpToTheStep) {
  const std::string path = TestPath("resumed.jsonl");
  std::ofstream(path)
      << "{\"step\":1}\n{\"step\":5,\"x\":[1]}\nnot json\n{\"nostep\":1}\n{\"step\":6}\n{\"step\":2}";
  {
    Result<RunLog> log = RunLog::Open(path, 5);
    ASSERT_TRUE(log.ok()) << log.status().message();
    ASSERT_TRUE(log->Write({{"step", 6}}).ok());
  }
  EXPECT_EQ(Contents(path), "{\"step\":1}\n{\"step\":5,\"x\":[1]}\n{\"step\":6}\n");
}

TEST(RunLog, ResumeOfALogThatIsNotThereStartsOne) {
  const std::string path = TestPath("absent.jsonl");
  std::filesystem::remove(path);
  ASSERT_TRUE(RunLog::Open(path, 100).ok());
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(RunLog, NamesAPathThatCannotBeWritten) {
  const Result<RunLog> log = RunLog::Open("/nonexistent/metrics.jsonl", -1);
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.status().code(), StatusCode::kIo);
  EXPECT_NE(log.status().message().find("/nonexistent/metrics.jsonl"), std::string::npos);
}

TEST(RunLog, ReportsAFullDevice) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  Result<RunLog> log = RunLog::Open(TestPath("full.jsonl"), -1);
  ASSERT_TRUE(log.ok());
  // The log opens by path, so a link to the device that is always full stands in for a full disk.
  const std::string link = TestPath("full_link");
  std::filesystem::remove(link);
  std::filesystem::create_symlink("/dev/full", link);
  Result<RunLog> full = RunLog::Open(link, -1);
  ASSERT_TRUE(full.ok()) << full.status().message();
  const Status status = full->Write({{"step", 1}});
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find("No space left"), std::string::npos) << status.message();
}

TEST(FormatProgress, ShowsRateTimeLeftAndNote) {
  EXPECT_EQ(FormatProgress("epoch 3", 0, 128, 256, 10, "loss 0.41", 0),
            "epoch 3 50% 128/256 12.8/s 0:10 left, loss 0.41");
  EXPECT_EQ(FormatProgress("train", 0, 10, 100000, 10, "", 0), "train 0% 10/100000 1.0/s 27:46:30 left");
  EXPECT_EQ(FormatProgress("train", 0, 256, 256, 65, "", 0), "train 100% 256/256 3.9/s 1:05");
  EXPECT_EQ(FormatProgress("read", 0, 7, 0, 2, "", 0), "read 7 3.5/s");
}

TEST(FormatProgress, CountsOnlyTheStepsOfThisProcessInTheRate) {
  EXPECT_EQ(FormatProgress("train", 100, 110, 120, 10, "", 0), "train 91% 110/120 1.0/s 0:10 left");
}

TEST(FormatProgress, FitsTheWidthAtEveryWidth) {
  for (int width = 1; width < 200; ++width) {
    EXPECT_LE(FormatProgress("epoch 3", 0, 128, 256, 10, "loss 0.41", width).size(), static_cast<size_t>(width));
  }
  EXPECT_EQ(FormatProgress("epoch 3", 0, 128, 256, 10, "", 50),
            "epoch 3 [#####......] 50% 128/256 12.8/s 0:10 left");
}

TEST(FormatProgress, NeverCutsInsideACharacter) {
  EXPECT_EQ(FormatProgress("\xC3\xA9", 0, 0, 0, 0, "", 1), "");
  EXPECT_EQ(FormatProgress("\xC3\xA9", 0, 0, 0, 0, "", 2), "\xC3\xA9");
}

TEST(Progress, PrintsOnlyTheLastLineOfAShortRunWithoutATerminal) {
  testing::internal::CaptureStderr();
  {
    Progress progress("epoch 1", 100);
    for (int i = 1; i <= 100; ++i) progress.Update(i, "loss 1");
    progress.Finish();
    progress.Finish();
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.rfind("epoch 1 100% 100/100 ", 0), 0u) << text;
  EXPECT_NE(text.find(", loss 1\n"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
}

}  // namespace
}  // namespace strait
