#include "datasets/read_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "entropy/error.h"

namespace strait {

Result<std::vector<uint8_t>> ReadWholeFile(const std::string& path) {
  std::error_code code;
  const uintmax_t size_bytes = std::filesystem::file_size(path, code);
  if (code) return Error(StatusCode::kIo, path, ": cannot read: ", code.message());
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) return Error(StatusCode::kIo, path, ": cannot open: ", std::strerror(errno));
  std::vector<uint8_t> bytes(size_bytes);
  const size_t read_bytes = std::fread(bytes.data(), 1, bytes.size(), file.get());
  if (read_bytes != bytes.size()) {
    return Error(StatusCode::kIo, path, ": wanted ", size_bytes, " bytes, could read ", read_bytes);
  }
  return bytes;
}

std::vector<std::string> ReadNamesOr(const std::string& path, size_t count, std::vector<std::string> fallback) {
  std::ifstream file(path);
  std::vector<std::string> names;
  for (std::string line; names.size() <= count && std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  return names.size() == count ? names : fallback;
}

std::vector<std::string> NumberedNames(size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

}  // namespace strait
