#include "training/checkpoint.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <torch/torch.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "codec/file_io.h"

namespace strait {
namespace {

std::string TestPath(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "strait_checkpoint_test";
  std::filesystem::create_directories(folder);
  return folder / name;
}

// Without the sync of WriteFileAtomic, which would take most of the time of the loops below.
void WriteBytes(const std::string& path, std::span<const uint8_t> bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(file.flush().good());
}

Checkpoint Example(int64_t step) {
  torch::manual_seed(7);
  Checkpoint checkpoint;
  checkpoint.step = step;
  checkpoint.train_samples = 3;
  checkpoint.backbone_hash = "0123456789abcdef";
  checkpoint.recipe_toml = "[train]\nepochs = 3\n";
  checkpoint.tensors["analysis.0.weight"] = torch::randn({4, 3, 3, 3});
  checkpoint.tensors["steps"] = torch::full({}, 5, torch::kInt64);
  checkpoint.tensors["half"] = torch::randn({8}).to(torch::kHalf);
  checkpoint.tensors["view"] = torch::randn({6, 10}).slice(1, 2, 5).t();
  checkpoint.tensors["empty"] = torch::empty({0, 4});
  checkpoint.optimizer_state = std::string("\0\xff\x80 bytes", 9);
  return checkpoint;
}

void ExpectEqual(const Checkpoint& a, const Checkpoint& b) {
  EXPECT_EQ(a.step, b.step);
  EXPECT_EQ(a.train_samples, b.train_samples);
  EXPECT_EQ(a.backbone_hash, b.backbone_hash);
  EXPECT_EQ(a.recipe_toml, b.recipe_toml);
  EXPECT_EQ(a.optimizer_state, b.optimizer_state);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) {
    ASSERT_EQ(b.tensors.count(name), 1u) << name;
    EXPECT_EQ(tensor.scalar_type(), b.tensors.at(name).scalar_type()) << name;
    EXPECT_TRUE(torch::equal(tensor, b.tensors.at(name))) << name;
  }
}

// Lowers the largest file this process may write, as a full disk does, for the length of a scope.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &old_), 0);
    const rlimit lowered{bytes, old_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &lowered), 0);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int) = SIG_DFL;
};

TEST(Checkpoint, RoundTripsEveryField) {
  const std::string path = TestPath("round.pt");
  const Checkpoint saved = Example(41);
  ASSERT_TRUE(SaveCheckpoint(path, saved).ok());
  const Result<Checkpoint> loaded = LoadCheckpoint(path);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  ExpectEqual(saved, *loaded);
}

TEST(Checkpoint, SavesParametersThatRequireGradients) {
  const std::string path = TestPath("grad.pt");
  Checkpoint saved;
  saved.tensors["w"] = torch::ones({3}, torch::requires_grad());
  ASSERT_TRUE(SaveCheckpoint(path, saved).ok());
  const Result<Checkpoint> loaded = LoadCheckpoint(path);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  EXPECT_TRUE(torch::equal(saved.tensors["w"], loaded->tensors.at("w")));
}

TEST(Checkpoint, AFullDiskLeavesTheOldFileIntactAndNamesPathAndReason) {
  const std::string path = TestPath("full.pt");
  const Checkpoint old = Example(1);
  ASSERT_TRUE(SaveCheckpoint(path, old).ok());
  Checkpoint larger = Example(2);
  larger.tensors["large"] = torch::zeros({100000});
  Status status;
  {
    const FileSizeLimit limit(65536);
    status = SaveCheckpoint(path, larger);
  }
  ASSERT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find(path), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("File too large"), std::string::npos) << status.message();
  const Result<Checkpoint> loaded = LoadCheckpoint(path);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  ExpectEqual(old, *loaded);
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST(Checkpoint, ReportsAMissingFile) {
  const Result<Checkpoint> loaded = LoadCheckpoint("/nonexistent/checkpoint.pt");
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.status().code(), StatusCode::kIo);
  EXPECT_NE(loaded.status().message().find("/nonexistent/checkpoint.pt"), std::string::npos);
}

TEST(Checkpoint, ReportsEveryCutAsCorruptInOneLine) {
  const std::string path = TestPath("cut.pt");
  ASSERT_TRUE(SaveCheckpoint(path, Example(1)).ok());
  const Result<std::vector<uint8_t>> bytes = ReadFile(path);
  ASSERT_TRUE(bytes.ok());
  for (size_t length = 0; length < bytes->size(); length += length + 64 < bytes->size() ? 97 : 1) {
    WriteBytes(path, std::span(*bytes).first(length));
    const Result<Checkpoint> loaded = LoadCheckpoint(path);
    ASSERT_FALSE(loaded.ok()) << length;
    EXPECT_EQ(loaded.status().code(), StatusCode::kCorrupt) << length;
    EXPECT_EQ(loaded.status().message().find('\n'), std::string::npos) << loaded.status().message();
    EXPECT_NE(loaded.status().message().find(path), std::string::npos);
  }
}

TEST(Checkpoint, ReportsEveryDamagedByteAsCorrupt) {
  const std::string path = TestPath("damaged.pt");
  ASSERT_TRUE(SaveCheckpoint(path, Example(1)).ok());
  const Result<std::vector<uint8_t>> sound = ReadFile(path);
  ASSERT_TRUE(sound.ok());
  for (size_t i = 0; i < sound->size(); i += 1 + sound->size() / 499) {
    std::vector<uint8_t> damaged = *sound;
    damaged[i] ^= 0x10;
    WriteBytes(path, damaged);
    const Result<Checkpoint> loaded = LoadCheckpoint(path);
    ASSERT_FALSE(loaded.ok()) << i;
    EXPECT_EQ(loaded.status().code(), StatusCode::kCorrupt) << i;
  }
}

TEST(Checkpoint, RefusesAnotherTorchFile) {
  const std::string path = TestPath("other.pt");
  torch::save(torch::zeros({2}), path);
  const Result<Checkpoint> loaded = LoadCheckpoint(path);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.status().code(), StatusCode::kCorrupt);
}

}  // namespace
}  // namespace strait
