#include "datasets/cifar.h"

#include "test_files.h"

namespace strait {
namespace {

// Records whose red, green and blue planes are `value`, `value` + 1 and `value` + 2, but for the first pixel of
// row 1.
void AppendRecord(const std::vector<uint8_t>& labels, uint8_t value, std::vector<uint8_t>* bytes) {
  bytes->insert(bytes->end(), labels.begin(), labels.end());
  for (uint8_t c = 0; c < 3; ++c) {
    std::vector<uint8_t> plane(1024, static_cast<uint8_t>(value + c));
    plane[32] = static_cast<uint8_t>(200 + c);
    bytes->insert(bytes->end(), plane.begin(), plane.end());
  }
}

TEST(Cifar10, ReadsRecordsOfAllBatchesInOrder) {
  const ScratchDir dir;
  for (uint8_t batch = 1; batch <= 5; ++batch) {
    std::vector<uint8_t> bytes;
    AppendRecord({batch}, static_cast<uint8_t>(10 * batch), &bytes);
    AppendRecord({9}, 100, &bytes);
    dir.Write("data_batch_" + std::to_string(batch) + ".bin", bytes);
  }
  const auto dataset = OpenCifar10(dir.path(), Subset::kTrain);
  ASSERT_TRUE(dataset.ok()) << dataset.status().message();
  ASSERT_EQ((*dataset)->size(), 10u);
  EXPECT_EQ((*dataset)->class_names()[9], "truck");
  const auto sample = (*dataset)->Get(4);
  ASSERT_TRUE(sample.ok());
  EXPECT_EQ(sample->label, 3);
  ASSERT_EQ(sample->image.pixels.size(), 32u * 32 * 3);
  EXPECT_EQ(sample->image.pixels[0], 30);
  EXPECT_EQ(sample->image.pixels[1], 31);
  EXPECT_EQ(sample->image.pixels[2], 32);
  EXPECT_EQ(sample->image.pixels[32 * 3 + 2], 202);
  ExpectError((*dataset)->Get(10), StatusCode::kInvalidArgument, "10 of 10");
}

TEST(Cifar10, TakesClassNamesFromTheDistribution) {
  const ScratchDir dir;
  std::vector<uint8_t> bytes;
  AppendRecord({0}, 0, &bytes);
  dir.Write("test_batch.bin", bytes);
  dir.Write("batches.meta.txt", std::string("n0\r\nn1\nn2\nn3\nn4\nn5\nn6\nn7\nn8\nn9\n\n"));
  const auto dataset = OpenCifar10(dir.path(), Subset::kValidation);
  ASSERT_TRUE(dataset.ok());
  EXPECT_EQ((*dataset)->class_names()[0], "n0");
  EXPECT_EQ((*dataset)->class_names()[9], "n9");
}

TEST(Cifar10, RefusesTruncatedAndEmptyFiles) {
  const ScratchDir dir;
  std::vector<uint8_t> bytes;
  AppendRecord({0}, 0, &bytes);
  bytes.pop_back();
  dir.Write("test_batch.bin", bytes);
  ExpectError(OpenCifar10(dir.path(), Subset::kValidation), StatusCode::kCorrupt, "3072 bytes");
  dir.Write("test_batch.bin", std::vector<uint8_t>());
  ExpectError(OpenCifar10(dir.path(), Subset::kValidation), StatusCode::kCorrupt, "test_batch.bin");
}

TEST(Cifar10, RefusesALabelOutOfRangeNamingTheRecord) {
  const ScratchDir dir;
  std::vector<uint8_t> bytes;
  AppendRecord({9}, 0, &bytes);
  AppendRecord({10}, 0, &bytes);
  dir.Write("test_batch.bin", bytes);
  ExpectError(OpenCifar10(dir.path(), Subset::kValidation), StatusCode::kCorrupt, "record 1 has label 10");
}

TEST(Cifar10, NamesTheMissingBatch) {
  const ScratchDir dir;
  std::vector<uint8_t> bytes;
  AppendRecord({0}, 0, &bytes);
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_4.bin"}) dir.Write(name, bytes);
  ExpectError(OpenCifar10(dir.path(), Subset::kTrain), StatusCode::kIo, "data_batch_3.bin");
}

TEST(Cifar100, UsesTheFineLabel) {
  const ScratchDir dir;
  std::vector<uint8_t> bytes;
  AppendRecord({19, 99}, 7, &bytes);
  dir.Write("train.bin", bytes);
  const auto dataset = OpenCifar100(dir.path(), Subset::kTrain);
  ASSERT_TRUE(dataset.ok()) << dataset.status().message();
  EXPECT_EQ((*dataset)->class_names().size(), 100u);
  EXPECT_EQ((*dataset)->class_names()[99], "99");
  const auto sample = (*dataset)->Get(0);
  ASSERT_TRUE(sample.ok());
  EXPECT_EQ(sample->label, 99);
  EXPECT_EQ(sample->image.pixels[0], 7);
}

TEST(Cifar100, RefusesAFineLabelOutOfRange) {
  const ScratchDir dir;
  std::vector<uint8_t> bytes;
  AppendRecord({0, 100}, 7, &bytes);
  dir.Write("test.bin", bytes);
  ExpectError(OpenCifar100(dir.path(), Subset::kValidation), StatusCode::kCorrupt, "label 100");
}

}  // namespace
}  // namespace strait
