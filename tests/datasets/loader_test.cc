#include "datasets/loader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "datasets/shapes.h"
#include "entropy/error.h"
#include "test_files.h"

namespace strait {
namespace {

// 4x4 images whose every byte is the index, with faults at will.
class FakeDataset final : public Dataset {
 public:
  explicit FakeDataset(size_t size) : size_(size) {}
  size_t size() const override { return size_; }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  Result<Sample> Get(size_t index) const override {
    ++calls;
    if (delay.count() != 0) std::this_thread::sleep_for(delay * ((index * 7) % 3));
    if (std::count(corrupt.begin(), corrupt.end(), index) != 0) {
      return Error(StatusCode::kCorrupt, "image_", index, ".jpg: broken");
    }
    if (index == unreadable) return Error(StatusCode::kIo, "image_", index, ".jpg: cannot read");
    const int width = index == odd ? 5 : 4;
    return Sample{{4, width, std::vector<uint8_t>(12 * width, static_cast<uint8_t>(index))},
                  static_cast<int64_t>(index % 10),
                  {}};
  }

  std::vector<size_t> corrupt;
  size_t unreadable = ~size_t{0};
  size_t odd = ~size_t{0};
  std::chrono::microseconds delay{0};
  mutable std::atomic<int> calls{0};

 private:
  size_t size_;
  std::vector<std::string> class_names_{"only"};
};

struct Pass {
  std::vector<Batch> batches;
  std::vector<std::string> skipped;
  Status status;
};

Pass RunPass(const Dataset& dataset, const LoaderOptions& options, uint64_t epoch = 0,
             const Preprocess& preprocess = {}) {
  Loader loader(dataset, preprocess, options, epoch);
  Pass pass;
  while (true) {
    auto batch = loader.Next();
    if (!batch.ok()) pass.status = batch.status();
    if (!batch.ok() || !batch->has_value()) break;
    pass.batches.push_back(std::move(**batch));
  }
  pass.skipped = loader.skipped();
  return pass;
}

std::vector<size_t> Indices(const Pass& pass) {
  std::vector<size_t> indices;
  for (const Batch& batch : pass.batches) indices.insert(indices.end(), batch.indices.begin(), batch.indices.end());
  return indices;
}

void ExpectSame(const Pass& a, const Pass& b) {
  ASSERT_EQ(a.batches.size(), b.batches.size());
  for (size_t i = 0; i < a.batches.size(); ++i) {
    EXPECT_EQ(a.batches[i].pixels, b.batches[i].pixels) << "batch " << i;
    EXPECT_EQ(a.batches[i].labels, b.batches[i].labels) << "batch " << i;
    EXPECT_EQ(a.batches[i].indices, b.batches[i].indices) << "batch " << i;
    EXPECT_EQ(a.batches[i].masks, b.batches[i].masks) << "batch " << i;
  }
  EXPECT_EQ(a.skipped, b.skipped);
  EXPECT_EQ(a.status.message(), b.status.message());
}

TEST(Loader, GivesEveryImageOnceInOrder) {
  const FakeDataset dataset(103);
  const Pass pass = RunPass(dataset, {.batch_size = 10});
  ASSERT_TRUE(pass.status.ok()) << pass.status.message();
  ASSERT_EQ(pass.batches.size(), 11u);
  EXPECT_EQ(pass.batches.back().size, 3);
  const std::vector<size_t> indices = Indices(pass);
  ASSERT_EQ(indices.size(), 103u);
  for (size_t i = 0; i < indices.size(); ++i) EXPECT_EQ(indices[i], i);
  const Batch& second = pass.batches[1];
  ASSERT_EQ(second.pixels.size(), 10u * 48);
  EXPECT_EQ(second.labels[3], 3);
  EXPECT_FLOAT_EQ(second.pixels[3 * 48 + 47], 13 / 255.0f);
  EXPECT_TRUE(second.masks.empty());
}

TEST(Loader, DropsTheLastShortBatchWhenAsked) {
  EXPECT_EQ(RunPass(FakeDataset(103), {.batch_size = 10, .drop_last = true}).batches.size(), 10u);
  EXPECT_TRUE(RunPass(FakeDataset(9), {.batch_size = 10, .drop_last = true}).batches.empty());
}

TEST(Loader, ShufflesByItsSeedAndEpoch) {
  const FakeDataset dataset(200);
  const LoaderOptions options{.batch_size = 16, .shuffle = true, .seed = 5};
  std::vector<size_t> first = Indices(RunPass(dataset, options, 0));
  EXPECT_EQ(first, Indices(RunPass(dataset, options, 0)));
  EXPECT_NE(first, Indices(RunPass(dataset, options, 1)));
  EXPECT_NE(first, Indices(RunPass(dataset, {.batch_size = 16, .shuffle = true, .seed = 6}, 0)));
  EXPECT_FALSE(std::is_sorted(first.begin(), first.end()));
  std::sort(first.begin(), first.end());
  for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i], i);
}

TEST(Loader, MakesTheSameAugmentedBatchesWithAnyNumberOfThreads) {
  const auto dataset = MakeShapes({.seed = 1, .train_size = 150}, Subset::kTrain);
  Preprocess preprocess;
  preprocess.augment = true;
  preprocess.crop = 48;
  LoaderOptions options{.batch_size = 16, .shuffle = true, .seed = 11, .threads = 1};
  const Pass reference = RunPass(*dataset, options, 3, preprocess);
  ASSERT_EQ(reference.batches.size(), 10u);
  EXPECT_EQ(reference.batches[0].masks.size(), 16u * 48 * 48);
  for (int threads = 2; threads <= 4; ++threads) {
    options.threads = threads;
    options.prefetch_batches = 5 - threads;
    ExpectSame(reference, RunPass(*dataset, options, 3, preprocess));
  }
  const Pass next_epoch = RunPass(*dataset, {.batch_size = 16, .seed = 11}, 4, preprocess);
  const Pass this_epoch = RunPass(*dataset, {.batch_size = 16, .seed = 11}, 3, preprocess);
  EXPECT_NE(next_epoch.batches[0].pixels, this_epoch.batches[0].pixels);
}

TEST(Loader, SkipsAndNamesCorruptImagesUpToOnePercent) {
  FakeDataset dataset(300);
  dataset.corrupt = {7, 150, 299};
  dataset.delay = std::chrono::microseconds(20);
  LoaderOptions options{.batch_size = 32, .threads = 1};
  const Pass reference = RunPass(dataset, options);
  ASSERT_TRUE(reference.status.ok()) << reference.status.message();
  EXPECT_EQ(reference.skipped,
            (std::vector<std::string>{"image_7.jpg: broken", "image_150.jpg: broken", "image_299.jpg: broken"}));
  EXPECT_EQ(Indices(reference).size(), 297u);
  EXPECT_EQ(reference.batches[0].size, 31);
  EXPECT_EQ(reference.batches[0].pixels.size(), 31u * 48);
  EXPECT_EQ(reference.batches[0].labels.size(), 31u);
  options.threads = 4;
  ExpectSame(reference, RunPass(dataset, options));
}

TEST(Loader, EndsWithCorruptBeyondOnePercent) {
  FakeDataset dataset(300);
  dataset.corrupt = {7, 150, 200, 299};
  const Pass pass = RunPass(dataset, {.batch_size = 32, .threads = 3});
  EXPECT_EQ(pass.status.code(), StatusCode::kCorrupt);
  EXPECT_NE(pass.status.message().find("4 corrupt of 300"), std::string::npos) << pass.status.message();
  EXPECT_NE(pass.status.message().find("image_7.jpg"), std::string::npos) << pass.status.message();
  EXPECT_EQ(pass.batches.size(), 9u);
}

TEST(Loader, PassesOverABatchOfCorruptImagesOnly) {
  FakeDataset dataset(400);
  dataset.corrupt = {4, 5};
  const Pass pass = RunPass(dataset, {.batch_size = 2});
  ASSERT_TRUE(pass.status.ok());
  EXPECT_EQ(pass.batches.size(), 199u);
  for (const Batch& batch : pass.batches) EXPECT_EQ(batch.size, 2);
}

TEST(Loader, EndsAtTheFirstReadErrorAndKeepsReportingIt) {
  FakeDataset dataset(100);
  dataset.unreadable = 55;
  Loader loader(dataset, {}, {.batch_size = 10, .threads = 4}, 0);
  for (int i = 0; i < 5; ++i) {
    const auto batch = loader.Next();
    ASSERT_TRUE(batch.ok() && batch->has_value());
  }
  ExpectError(loader.Next(), StatusCode::kIo, "image_55.jpg");
  ExpectError(loader.Next(), StatusCode::kIo, "image_55.jpg");
}

TEST(Loader, TellsToSetResizeAndCropForImagesOfSeveralSizes) {
  FakeDataset dataset(20);
  dataset.odd = 13;
  const Pass pass = RunPass(dataset, {.batch_size = 10});
  EXPECT_EQ(pass.status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(pass.status.message().find("image 13 is 4x5"), std::string::npos) << pass.status.message();
  EXPECT_NE(pass.status.message().find("set resize and crop"), std::string::npos) << pass.status.message();
}

TEST(Loader, RefusesOptionsAndPreprocessOutOfRange) {
  const FakeDataset dataset(20);
  EXPECT_EQ(RunPass(dataset, {.batch_size = 0}).status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(RunPass(dataset, {.threads = 0}).status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(RunPass(dataset, {.prefetch_batches = 0}).status.code(), StatusCode::kInvalidArgument);
  Preprocess preprocess;
  preprocess.std[0] = 0;
  EXPECT_EQ(RunPass(dataset, {}, 0, preprocess).status.code(), StatusCode::kInvalidArgument);
}

TEST(Loader, EndsAtOnceOnAnEmptyDataset) {
  const Pass pass = RunPass(FakeDataset(0), {});
  EXPECT_TRUE(pass.status.ok());
  EXPECT_TRUE(pass.batches.empty());
}

TEST(Loader, ReadsNoFurtherAheadThanItsQueue) {
  FakeDataset dataset(1000);
  Loader loader(dataset, {}, {.batch_size = 10, .threads = 2, .prefetch_batches = 3}, 0);
  ASSERT_TRUE(loader.Next().ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LE(dataset.calls.load(), 40);  // the batch given and three in the queue
}

TEST(Loader, ShutsDownAtAnyMoment) {
  FakeDataset dataset(500);
  dataset.delay = std::chrono::microseconds(30);
  for (int taken = 0; taken < 30; ++taken) {
    Loader loader(dataset, {}, {.batch_size = 8, .threads = 1 + taken % 4, .prefetch_batches = 1 + taken % 3}, 0);
    for (int i = 0; i < taken; ++i) ASSERT_TRUE(loader.Next().ok());
  }
}

}  // namespace
}  // namespace strait
