// Requests on their way from the connections to the inference thread, and answers on their way back.
// Thread-safe. Bounded: when TryPush refuses, the caller stops reading and TCP tells the clients.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "framing.h"
#include "socket.h"

namespace split_inference {

struct Request {
  uint64_t connection = 0;
  MessageKind kind = MessageKind::kFrame;
  Clock::time_point arrived;  // its last byte
  std::vector<uint8_t> body;
};

struct Reply {
  uint64_t connection = 0;
  std::vector<uint8_t> message;  // as it goes over the wire
};

class RequestQueue {
 public:
  explicit RequestQueue(size_t capacity) : capacity_(capacity) {}

  // Copies the body. False: full or closed.
  bool TryPush(uint64_t connection, MessageKind kind, Clock::time_point arrived, std::span<const uint8_t> body);

  // Waits for a request, then at most `wait` for more of them. Empty: closed, and all requests taken.
  std::vector<Request> TakeBatch(size_t max_batch, std::chrono::milliseconds wait);

  // No more requests; those inside are still given out.
  void Close();

  void PushReplies(std::vector<Reply> replies);
  std::vector<Reply> TakeReplies();

 private:
  const size_t capacity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> requests_;
  std::vector<Reply> replies_;
  bool closed_ = false;
};

}  // namespace split_inference
