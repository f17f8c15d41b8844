#include "datasets/image_folder.h"

#include <opencv2/imgcodecs.hpp>

#include "test_files.h"

namespace strait {
namespace {

// Left half red, right half blue, `height` x `width`.
std::vector<uint8_t> Encoded(const std::string& extension, int height = 24, int width = 40) {
  cv::Mat bgr(height, width, CV_8UC3, cv::Scalar(0, 0, 255));
  bgr.colRange(width / 2, width).setTo(cv::Scalar(255, 0, 0));
  std::vector<uint8_t> bytes;
  cv::imencode(extension, bgr, bytes);
  return bytes;
}

std::vector<uint8_t> Noisy(const std::string& extension) {
  cv::Mat bgr(64, 64, CV_8UC3);
  cv::theRNG().state = 5;
  cv::randu(bgr, 0, 255);
  std::vector<uint8_t> bytes;
  cv::imencode(extension, bgr, bytes);
  return bytes;
}

TEST(ImageFolder, DecodesEveryFormatToRgb) {
  for (const std::string extension : {".png", ".bmp", ".jpg", ".webp"}) {
    const ScratchDir dir;
    dir.Write("train/a/x" + extension, Encoded(extension));
    const auto dataset = OpenImageFolder(dir.path(), Subset::kTrain);
    ASSERT_TRUE(dataset.ok()) << dataset.status().message();
    const auto sample = (*dataset)->Get(0);
    ASSERT_TRUE(sample.ok()) << sample.status().message();
    ASSERT_EQ(sample->image.height, 24);
    ASSERT_EQ(sample->image.width, 40);
    ASSERT_EQ(sample->image.pixels.size(), 24u * 40 * 3);
    EXPECT_TRUE(sample->mask.empty());
    const uint8_t* left = &sample->image.pixels[(12 * 40 + 4) * 3];
    const uint8_t* right = &sample->image.pixels[(12 * 40 + 35) * 3];
    EXPECT_GT(left[0], 240) << extension;
    EXPECT_LT(left[2], 15) << extension;
    EXPECT_LT(right[0], 15) << extension;
    EXPECT_GT(right[2], 240) << extension;
  }
}

TEST(ImageFolder, SortsClassesAndFilesAndLeavesOutOthers) {
  const ScratchDir dir;
  dir.Write("train/dog/2.PNG", Encoded(".png", 2, 2));
  dir.Write("train/dog/10.png", Encoded(".png", 1, 1));
  dir.Write("train/cat/1.jpeg", Encoded(".jpg", 3, 3));
  dir.Write("train/cat/notes.txt", std::string("no image"));
  dir.Write("train/.cache/1.png", Encoded(".png"));
  dir.Write("train/readme.png", Encoded(".png"));
  const auto dataset = OpenImageFolder(dir.path(), Subset::kTrain);
  ASSERT_TRUE(dataset.ok()) << dataset.status().message();
  EXPECT_EQ((*dataset)->class_names(), (std::vector<std::string>{"cat", "dog"}));
  ASSERT_EQ((*dataset)->size(), 3u);
  const int sides[] = {3, 1, 2};
  const int64_t labels[] = {0, 1, 1};
  for (size_t i = 0; i < 3; ++i) {
    const auto sample = (*dataset)->Get(i);
    ASSERT_TRUE(sample.ok()) << sample.status().message();
    EXPECT_EQ(sample->image.height, sides[i]);
    EXPECT_EQ(sample->label, labels[i]);
  }
  ExpectError((*dataset)->Get(3), StatusCode::kInvalidArgument, "3 of 3");
}

TEST(ImageFolder, KeepsTrainingLabelsWhereValidationLacksAClass) {
  const ScratchDir dir;
  for (const char* name : {"a", "b", "c"}) dir.Write(std::string("train/") + name + "/1.png", Encoded(".png"));
  dir.Write("val/c/1.png", Encoded(".png"));
  const auto dataset = OpenImageFolder(dir.path(), Subset::kValidation);
  ASSERT_TRUE(dataset.ok()) << dataset.status().message();
  EXPECT_EQ((*dataset)->class_names().size(), 3u);
  const auto sample = (*dataset)->Get(0);
  ASSERT_TRUE(sample.ok());
  EXPECT_EQ(sample->label, 2);
}

TEST(ImageFolder, RefusesAValidationClassThatTrainingLacks) {
  const ScratchDir dir;
  dir.Write("train/a/1.png", Encoded(".png"));
  dir.Write("val/b/1.png", Encoded(".png"));
  ExpectError(OpenImageFolder(dir.path(), Subset::kValidation), StatusCode::kCorrupt, dir.path("val/b"));
}

TEST(ImageFolder, OpensValidationAlone) {
  const ScratchDir dir;
  dir.Write("val/b/1.png", Encoded(".png"));
  EXPECT_TRUE(OpenImageFolder(dir.path(), Subset::kValidation).ok());
}

TEST(ImageFolder, RefusesFoldersWithoutImages) {
  const ScratchDir dir;
  dir.Write("train/a/notes.txt", std::string("no image"));
  ExpectError(OpenImageFolder(dir.path(), Subset::kTrain), StatusCode::kIo, "no images");
}

TEST(ImageFolder, ReportsEmptyAndForeignFilesAsCorrupt) {
  const ScratchDir dir;
  const std::string empty = dir.Write("train/a/1.jpg", std::string());
  const std::string foreign = dir.Write("train/a/2.png", std::string("this is no image at all"));
  const auto dataset = OpenImageFolder(dir.path(), Subset::kTrain);
  ASSERT_TRUE(dataset.ok());
  ExpectError((*dataset)->Get(0), StatusCode::kCorrupt, empty);
  ExpectError((*dataset)->Get(1), StatusCode::kCorrupt, foreign);
}

TEST(ImageFolder, ReportsTruncatedImagesAsCorrupt) {
  for (const std::string extension : {".jpg", ".png", ".webp"}) {
    const ScratchDir dir;
    const std::vector<uint8_t> whole = Noisy(extension);
    ASSERT_GT(whole.size(), 1000u);
    for (int i = 1; i <= 9; ++i) {
      std::vector<uint8_t> part(whole.begin(), whole.begin() + whole.size() * i / 10);
      dir.Write("train/a/" + std::to_string(i) + extension, part);
    }
    const auto dataset = OpenImageFolder(dir.path(), Subset::kTrain);
    ASSERT_TRUE(dataset.ok());
    for (size_t i = 0; i < 9; ++i)
      ExpectError((*dataset)->Get(i), StatusCode::kCorrupt, std::to_string(i + 1) + extension);
  }
}

TEST(ImageFolder, ReportsAFileThatVanishedAsIo) {
  const ScratchDir dir;
  const std::string path = dir.Write("train/a/1.png", Encoded(".png"));
  const auto dataset = OpenImageFolder(dir.path(), Subset::kTrain);
  ASSERT_TRUE(dataset.ok());
  std::filesystem::remove(path);
  ExpectError((*dataset)->Get(0), StatusCode::kIo, path);
}

}  // namespace
}  // namespace strait
