#include "request_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace split_inference {

bool RequestQueue::TryPush(uint64_t connection, MessageKind kind, Clock::time_point arrived,
                           std::span<const uint8_t> body) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || requests_.size() >= capacity_) return false;
    requests_.push_back({connection, kind, arrived, {body.begin(), body.end()}});
  }
  changed_.notify_one();
  return true;
}

std::vector<Request> RequestQueue::TakeBatch(size_t max_batch, std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || !requests_.empty(); });
  changed_.wait_for(lock, wait, [&] { return closed_ || requests_.size() >= max_batch; });
  const auto count = static_cast<std::ptrdiff_t>(std::min(max_batch, requests_.size()));
  std::vector<Request> batch(std::make_move_iterator(requests_.begin()),
                             std::make_move_iterator(requests_.begin() + count));
  requests_.erase(requests_.begin(), requests_.begin() + count);
  return batch;
}

void RequestQueue::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

void RequestQueue::PushReplies(std::vector<Reply> replies) {
  const std::lock_guard lock(mutex_);
  std::move(replies.begin(), replies.end(), std::back_inserter(replies_));
}

std::vector<Reply> RequestQueue::TakeReplies() {
  const std::lock_guard lock(mutex_);
  return std::exchange(replies_, {});
}

}  // namespace split_inference
