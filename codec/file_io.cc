#include "codec/file_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "entropy/error.h"

namespace strait {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  // Closing reports delayed write errors, so a writer asks for the result.
  int Close() {
    const int rc = ::close(fd_);
    fd_ = -1;
    return rc;
  }

 private:
  int fd_;
};

Status SystemError(const char* what, const std::string& path) {
  const int code = errno;
  return Error(StatusCode::kIo, "cannot ", what, " ", path, ": ", std::strerror(code));
}

Status WriteAll(int fd, std::span<const uint8_t> bytes, const std::string& path) {
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = ::write(fd, bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return SystemError("write", path);
    written += static_cast<size_t>(n);
  }
  return Status();
}

Status WriteAndSync(const std::string& path, std::span<const uint8_t> bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) return SystemError("write", path);
  STRAIT_RETURN_IF_ERROR(WriteAll(file.get(), bytes, path));
  // Pipes and some file systems cannot sync; that is no failure of the write.
  if (::fsync(file.get()) != 0 && errno != EINVAL && errno != ENOTSUP) return SystemError("sync", path);
  if (file.Close() != 0) return SystemError("close", path);
  return Status();
}

// Makes the rename itself survive a power cut; best effort, since the new content is already on disk.
void SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.get() >= 0) (void)!::fsync(dir.get());
}

}  // namespace

Result<std::vector<uint8_t>> ReadFile(const std::string& path, int64_t max_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return SystemError("read", path);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return SystemError("read", path);
  if (S_ISDIR(info.st_mode)) return Error(StatusCode::kIo, "cannot read ", path, ": is a directory");
  const auto too_large = [&](int64_t size) {
    return Error(StatusCode::kLimitExceeded, path, ": has ", size, " bytes or more, at most ", max_bytes,
                 " allowed");
  };
  if (S_ISREG(info.st_mode) && info.st_size > max_bytes) return too_large(info.st_size);

  // The size is only a hint: a pipe has none, and a file may grow while it is read.
  constexpr size_t kChunkBytes = 1 << 16;
  const size_t hint = S_ISREG(info.st_mode) ? static_cast<size_t>(info.st_size) + 1 : kChunkBytes;
  std::vector<uint8_t> bytes(hint);
  size_t used = 0;
  for (;;) {
    if (used == bytes.size()) bytes.resize(bytes.size() + std::max(bytes.size() / 2, kChunkBytes));
    const ssize_t n = ::read(file.get(), bytes.data() + used, bytes.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("read", path);
    if (n == 0) break;
    used += static_cast<size_t>(n);
    if (static_cast<int64_t>(used) > max_bytes) return too_large(static_cast<int64_t>(used));
  }
  bytes.resize(used);
  return bytes;
}

Status FlushStdout() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return Status();
  return SystemError("write", "to stdout");
}

Status WriteFileAtomic(const std::string& path, std::span<const uint8_t> bytes) {
  // Devices and pipes cannot be replaced by a rename and have no old content to protect.
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    if (S_ISDIR(info.st_mode)) return Error(StatusCode::kIo, "cannot write ", path, ": is a directory");
    return WriteAndSync(path, bytes);
  }
  const std::string temporary = path + ".tmp";
  if (Status status = WriteAndSync(temporary, bytes); !status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const Status status = SystemError("replace", path);
    ::unlink(temporary.c_str());
    return status;
  }
  SyncFolderOf(path);
  return Status();
}

Status WriteTextAtomic(const std::string& path, std::string_view text) {
  return WriteFileAtomic(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

}  // namespace strait
