#include "bench/rd/subprocess.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "codec/file_io.h"
#include "entropy/error.h"
#include "training/interrupt.h"

namespace strait {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxMessage = 400;

// The end of what a program said, in one line.
std::string MessageIn(const std::string& path) {
  const auto bytes = ReadFile(path);
  if (!bytes.ok() || bytes->empty()) return "no message";
  const size_t length = std::min(bytes->size(), kMaxMessage);
  std::string message(bytes->end() - static_cast<std::ptrdiff_t>(length), bytes->end());
  std::replace(message.begin(), message.end(), '\n', ' ');
  return message;
}

}  // namespace

bool HasProgram(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((folder + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

Status RunProgram(const std::vector<std::string>& arguments, const std::string& stdout_path) {
  STRAIT_ASSIGN_OR_RETURN(const std::unique_ptr<TempFolder> folder, TempFolder::Create());
  const std::string errors = *folder / "stderr", output = stdout_path.empty() ? "/dev/null" : stdout_path;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::vector<std::string> words = arguments;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int failure = posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = failure;
  if (failure == 0 && waitpid(child, &status, 0) < 0) status = -1;
  if (Interrupted()) return Error(StatusCode::kIo, arguments[0], ": interrupted");
  if (status == 0) return {};
  return Error(StatusCode::kIo, arguments[0], " failed: ", MessageIn(errors));
}

Result<std::unique_ptr<TempFolder>> TempFolder::Create() {
  std::error_code error;
  std::string name = (fs::temp_directory_path(error) / "strait-rd-XXXXXX").string();
  if (error || mkdtemp(name.data()) == nullptr) return Error(StatusCode::kIo, name, ": cannot create a folder");
  return std::unique_ptr<TempFolder>(new TempFolder(name));
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace strait
