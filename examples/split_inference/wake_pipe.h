// Wakes a thread that sleeps in poll: from another thread, or from the signals that end the program.
#pragma once

#include "socket.h"
#include "strait/result.h"

namespace split_inference {

class WakePipe {
 public:
  static strait::Result<WakePipe> Open();

  // Readable after a Wake.
  int fd() const { return read_.get(); }
  // Thread-safe.
  void Wake() const;
  void Drain() const;

 private:
  WakePipe() = default;
  Fd read_, write_;
};

// From now on SIGTERM and SIGINT set stop_requested() and wake `pipe`, which lives as long as the program; SIGPIPE
// is ignored. To be called once.
void StopOnSignals(const WakePipe& pipe);
bool stop_requested();

}  // namespace split_inference
