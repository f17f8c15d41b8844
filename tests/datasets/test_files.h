// Scratch folders and small files for the reader tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace strait {

// A folder of its own for one test, removed with it.
class ScratchDir {
 public:
  ScratchDir() {
    static std::atomic<int> count{0};
    root_ = std::filesystem::temp_directory_path() /
            ("strait_datasets_" + std::to_string(getpid()) + "_" + std::to_string(count++));
    std::filesystem::create_directories(root_);
  }
  ~ScratchDir() {
    std::error_code code;
    std::filesystem::remove_all(root_, code);
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;

  std::string path(const std::string& name = "") const {
    return name.empty() ? root_.string() : (root_ / name).string();
  }

  // Writes `bytes`, making the folders above.
  std::string Write(const std::string& name, const std::vector<uint8_t>& bytes) const {
    const std::filesystem::path file = root_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return file.string();
  }
  std::string Write(const std::string& name, const std::string& text) const {
    return Write(name, std::vector<uint8_t>(text.begin(), text.end()));
  }

 private:
  std::filesystem::path root_;
};

// EXPECT that `result` failed with `code` and a message of one line that contains `part`.
template <typename T>
void ExpectError(const T& result, StatusCode code, const std::string& part) {
  ASSERT_FALSE(result.ok()) << "wanted an error about " << part;
  EXPECT_EQ(result.status().code(), code) << result.status().message();
  EXPECT_NE(result.status().message().find(part), std::string::npos) << result.status().message();
  EXPECT_EQ(result.status().message().find('\n'), std::string::npos) << result.status().message();
}

}  // namespace strait
