// Runs a fuzz harness without a fuzzer: over the files of its corpus, and over bytes that a fixed generator makes
// of them. Usage: NAME CORPUS_DIR
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_DIR\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    std::fprintf(stderr, "%s: %s holds no files\n", argv[0], argv[1]);
    return 1;
  }
  std::mt19937 random(1);
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(stream), {}};
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    for (int variant = 0; variant < 20 && !bytes.empty(); ++variant) {
      std::vector<uint8_t> changed = bytes;
      for (int i = 0; i < 1 + variant / 4; ++i) changed[random() % changed.size()] = static_cast<uint8_t>(random());
      if (variant % 5 == 0) changed.resize(random() % (changed.size() + 1));
      LLVMFuzzerTestOneInput(changed.data(), changed.size());
    }
  }
  std::printf("%zu files and 20 variants of each\n", files.size());
}
