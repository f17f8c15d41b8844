#include "codec/check_folder.h"

#include <filesystem>
#include <system_error>

#include "entropy/error.h"

namespace strait {

Status CheckFolder(const std::string& file) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::absolute(file, error).parent_path();
  if (!error && std::filesystem::is_directory(folder, error)) return Status();
  return Error(StatusCode::kIo, file, ": no such folder: ", folder.string());
}

}  // namespace strait
