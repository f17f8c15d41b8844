// The server's I/O thread: accepts clients, moves requests into the queue and replies out of it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "connection.h"
#include "request_queue.h"
#include "socket.h"
#include "wake_pipe.h"

namespace split_inference {

struct IoOptions {
  ConnectionLimits limits;
  size_t max_clients = 256;
};

class IoLoop {
 public:
  // `queue` and `wake` outlive the loop. Whoever pushes replies wakes it.
  IoLoop(Fd listener, RequestQueue& queue, const WakePipe& wake, const IoOptions& options);

  // Serves until stop_requested(), then closes the queue, sends what is under way and returns.
  void Run();

 private:
  void Poll();
  void TakeReplies();
  void AcceptClients();
  void BeginStop();

  Fd listener_;
  RequestQueue& queue_;
  const WakePipe& wake_;
  const IoOptions options_;
  std::vector<std::unique_ptr<Connection>> connections_;
  uint64_t next_id_ = 1;
  bool stopping_ = false;
  Clock::time_point accept_from_;  // no descriptors are left: try again from then on
};

}  // namespace split_inference
