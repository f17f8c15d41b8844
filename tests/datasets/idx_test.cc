#include "datasets/idx.h"

#include "test_files.h"

namespace strait {
namespace {

std::vector<uint8_t> IdxBytes(uint32_t magic, const std::vector<uint32_t>& dims, size_t data_bytes) {
  std::vector<uint8_t> bytes;
  auto append = [&bytes](uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(value >> shift));
  };
  append(magic);
  for (const uint32_t dim : dims) append(dim);
  for (size_t i = 0; i < data_bytes; ++i) bytes.push_back(static_cast<uint8_t>(i % 10));
  return bytes;
}

void WriteLabels(const ScratchDir& dir, uint32_t count) {
  dir.Write("train-labels-idx1-ubyte", IdxBytes(0x801, {count}, count));
}

void ExpectRefusedImages(const std::vector<uint8_t>& bytes, const std::string& part) {
  const ScratchDir dir;
  WriteLabels(dir, 3);
  dir.Write("train-images-idx3-ubyte", bytes);
  ExpectError(OpenIdx(dir.path(), Subset::kTrain), StatusCode::kCorrupt, part);
}

TEST(Idx, GivesGreyImagesAsRgb) {
  const ScratchDir dir;
  WriteLabels(dir, 3);
  dir.Write("train-images-idx3-ubyte", IdxBytes(0x803, {3, 4, 5}, 60));
  const auto dataset = OpenIdx(dir.path(), Subset::kTrain);
  ASSERT_TRUE(dataset.ok()) << dataset.status().message();
  ASSERT_EQ((*dataset)->size(), 3u);
  EXPECT_EQ((*dataset)->class_names().size(), 10u);
  const auto sample = (*dataset)->Get(1);
  ASSERT_TRUE(sample.ok());
  EXPECT_EQ(sample->label, 1);
  EXPECT_EQ(sample->image.height, 4);
  EXPECT_EQ(sample->image.width, 5);
  ASSERT_EQ(sample->image.pixels.size(), 60u);
  for (int i = 0; i < 20; ++i) {
    for (int c = 0; c < 3; ++c) EXPECT_EQ(sample->image.pixels[3 * i + c], (20 + i) % 10);
  }
  ExpectError((*dataset)->Get(3), StatusCode::kInvalidArgument, "3 of 3");
}

TEST(Idx, RefusesAWrongMagicNumber) {
  ExpectRefusedImages(IdxBytes(0x801, {3, 4, 5}, 60), "wanted magic number 2051, got 2049");
}

TEST(Idx, RefusesEveryTruncation) {
  const std::vector<uint8_t> whole = IdxBytes(0x803, {3, 4, 5}, 60);
  for (size_t size = 0; size < whole.size(); ++size) {
    ExpectRefusedImages({whole.begin(), whole.begin() + size}, "train-images-idx3-ubyte");
  }
}

TEST(Idx, RefusesTrailingBytes) { ExpectRefusedImages(IdxBytes(0x803, {3, 4, 5}, 61), "wants 60 bytes"); }

TEST(Idx, RefusesHugeDimensionsWithoutAllocating) {
  ExpectRefusedImages(IdxBytes(0x803, {0xFFFFFFFF, 0x4000, 0x4000}, 60), "header wants");
  ExpectRefusedImages(IdxBytes(0x803, {3, 0xFFFFFFFF, 5}, 60), "dimension 1");
  ExpectRefusedImages(IdxBytes(0x803, {3, 0, 5}, 0), "dimension 1");
}

TEST(Idx, RefusesUnequalCounts) {
  const ScratchDir dir;
  WriteLabels(dir, 4);
  dir.Write("train-images-idx3-ubyte", IdxBytes(0x803, {3, 4, 5}, 60));
  ExpectError(OpenIdx(dir.path(), Subset::kTrain), StatusCode::kCorrupt, "3 images, the label file 4 labels");
}

TEST(Idx, TellsToUnzip) {
  const ScratchDir dir;
  dir.Write("t10k-images-idx3-ubyte.gz", std::string("zipped"));
  ExpectError(OpenIdx(dir.path(), Subset::kValidation), StatusCode::kIo, "gunzip it first");
}

}  // namespace
}  // namespace strait
