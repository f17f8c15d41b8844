// Feature caches on disk: what one run keeps is what the next one finds, or an error.
#include "training/feature_cache.h"

#include <gtest/gtest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace strait {
namespace {

namespace fs = std::filesystem;

class FeatureCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("strait_features_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Two views of five samples, four of which could be read.
  static void Fill(FeatureCache& cache, FeatureTable& table) {
    table.views = 2;
    table.stride = 5;
    ASSERT_TRUE(cache
                    .Allocate(torch::zeros({3, 4, 2, 2}), torch::zeros({3, 7}), torch::zeros({3, 2, 2}),
                              {torch::zeros({3, 9}), torch::zeros({3, 1, 1})}, table)
                    .ok());
    table.samples = 4;
    torch::manual_seed(1);
    table.features.copy_(torch::randn(table.features.sizes()));
    table.logits.copy_(torch::randn(table.logits.sizes()));
    table.labels.copy_(torch::arange(40).view({10, 2, 2}));
    for (torch::Tensor& stage : table.stages) stage.copy_(torch::randn(stage.sizes()));
  }

  size_t FilesLeft() const {
    return fs::exists(folder_) ? static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {})) : 0;
  }

  fs::path folder_;
};

TEST_F(FeatureCacheTest, GivesTheNextRunWhatWasCommitted) {
  FeatureCache first(folder_ / "deep", "shapes, 5 samples");
  FeatureTable kept, none, found;
  EXPECT_FALSE(first.Load(none).value());
  Fill(first, kept);
  FeatureCache early(folder_ / "deep", "shapes, 5 samples");
  EXPECT_FALSE(early.Load(none).value());  // not before it is committed
  ASSERT_TRUE(first.Commit(kept).ok());

  FeatureCache second(folder_ / "deep", "shapes, 5 samples");
  ASSERT_TRUE(second.Load(found).value());
  EXPECT_EQ(found.views, 2);
  EXPECT_EQ(found.stride, 5);
  EXPECT_EQ(found.samples, 4);
  EXPECT_TRUE(torch::equal(found.features, kept.features));
  EXPECT_TRUE(torch::equal(found.logits, kept.logits));
  EXPECT_TRUE(torch::equal(found.labels, kept.labels));
  ASSERT_EQ(found.stages.size(), 2u);
  for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(torch::equal(found.stages[i], kept.stages[i]));

  FeatureCache other(folder_ / "deep", "shapes, 6 samples");
  EXPECT_FALSE(other.Load(none).value());
}

TEST_F(FeatureCacheTest, LeavesNothingOfARunThatEndedEarly) {
  {
    FeatureCache cache(folder_, "x");
    FeatureTable table;
    Fill(cache, table);
    EXPECT_EQ(FilesLeft(), 1u);
  }
  EXPECT_EQ(FilesLeft(), 0u);
}

TEST_F(FeatureCacheTest, RefusesDamagedFiles) {
  std::string path;
  {
    FeatureCache cache(folder_, "x");
    FeatureTable table;
    Fill(cache, table);
    ASSERT_TRUE(cache.Commit(table).ok());
    path = cache.path();
  }
  const auto code = [&] {
    FeatureCache cache(folder_, "x");
    FeatureTable table;
    const Result<bool> found = cache.Load(table);
    return found.ok() ? StatusCode::kOk : found.status().code();
  };
  EXPECT_EQ(code(), StatusCode::kOk);
  const auto size = fs::file_size(path);
  fs::resize_file(path, size - 1);
  EXPECT_EQ(code(), StatusCode::kCorrupt);
  fs::resize_file(path, 100);
  EXPECT_EQ(code(), StatusCode::kCorrupt);
  fs::resize_file(path, size);  // zeros where the header was
  EXPECT_EQ(code(), StatusCode::kCorrupt);
  std::ofstream(path) << std::string(size, '7');
  EXPECT_EQ(code(), StatusCode::kCorrupt);
}

TEST_F(FeatureCacheTest, NeedsNoFolder) {
  FeatureCache cache("", "x");
  FeatureTable table, none;
  EXPECT_FALSE(cache.Load(none).value());
  Fill(cache, table);
  EXPECT_TRUE(cache.Commit(table).ok());
  EXPECT_EQ(table.features.size(0), 10);
  EXPECT_EQ(FilesLeft(), 0u);
}

TEST_F(FeatureCacheTest, SaysWhenAFolderCannotBeWritten) {
  fs::create_directories(folder_);
  std::ofstream(folder_ / "file") << "x";
  FeatureCache cache(folder_ / "file" / "sub", "x");
  FeatureTable table;
  table.views = table.stride = 1;
  EXPECT_EQ(cache.Allocate(torch::zeros({1, 2}), torch::zeros({1, 2}), torch::zeros({1}), {}, table).code(),
            StatusCode::kIo);
}

}  // namespace
}  // namespace strait
