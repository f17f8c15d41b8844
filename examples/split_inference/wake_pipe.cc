#include "wake_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

namespace split_inference {
namespace {

// All that a signal handler may touch.
std::atomic<bool> stop{false};
std::atomic<const WakePipe*> stop_pipe{nullptr};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<const WakePipe*>::is_always_lock_free);

void OnSignal(int) {
  const int saved = errno;
  stop = true;
  stop_pipe.load()->Wake();
  errno = saved;
}

}  // namespace

strait::Result<WakePipe> WakePipe::Open() {
  int ends[2];
  if (pipe(ends) < 0) return SystemError("pipe", errno);
  WakePipe result;
  result.read_ = Fd(ends[0]);
  result.write_ = Fd(ends[1]);
  for (const int fd : ends) {
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
      return SystemError("fcntl", errno);
  }
  return result;
}

void WakePipe::Wake() const {
  const char byte = 0;
  // A full pipe wakes just as well.
  [[maybe_unused]] const ssize_t count = write(write_.get(), &byte, 1);
}

void WakePipe::Drain() const {
  char bytes[64];
  while (read(read_.get(), bytes, sizeof(bytes)) > 0) {
  }
}

void StopOnSignals(const WakePipe& pipe) {
  stop_pipe = &pipe;
  struct sigaction action {};
  action.sa_handler = OnSignal;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

bool stop_requested() { return stop; }

}  // namespace split_inference
