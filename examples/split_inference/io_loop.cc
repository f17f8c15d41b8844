#include "io_loop.h"

#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace split_inference {
namespace {

constexpr std::chrono::milliseconds kAcceptPause{200};
constexpr std::chrono::milliseconds kLongestSleep{60'000};
constexpr size_t kMaxRefused = 32;  // clients beyond the limit that are being told so

}  // namespace

IoLoop::IoLoop(Fd listener, RequestQueue& queue, const WakePipe& wake, const IoOptions& options)
    : listener_(std::move(listener)), queue_(queue), wake_(wake), options_(options) {}

void IoLoop::Run() {
  Clock::time_point give_up = Clock::time_point::max();
  while (!stopping_ || (!connections_.empty() && Clock::now() < give_up)) {
    Poll();
    TakeReplies();
    for (const auto& connection : connections_) connection->Dispatch(queue_);
    if (stop_requested() && !stopping_) {
      BeginStop();
      give_up = Clock::now() + options_.limits.message_timeout;
    }
    for (const auto& connection : connections_) connection->CheckTime(Clock::now());
    std::erase_if(connections_, [](const auto& connection) { return connection->finished(); });
    // Another one is first in the next round: when the queue is nearly full, all get their turn.
    if (connections_.size() > 1) std::rotate(connections_.begin(), connections_.begin() + 1, connections_.end());
  }
}

void IoLoop::Poll() {
  const Clock::time_point now = Clock::now();
  Clock::time_point wake_at = now + kLongestSleep;
  std::vector<pollfd> fds = {{wake_.fd(), POLLIN, 0}};
  for (const auto& connection : connections_) {
    const int events = (connection->wants_read() ? POLLIN : 0) | (connection->wants_write() ? POLLOUT : 0);
    fds.push_back({connection->fd(), static_cast<int16_t>(events), 0});
    wake_at = std::min(wake_at, connection->deadline());
  }
  const bool has_room = connections_.size() < options_.max_clients + kMaxRefused;
  const bool accepting = listener_.valid() && has_room && now >= accept_from_;
  if (accepting) fds.push_back({listener_.get(), POLLIN, 0});
  if (listener_.valid() && now < accept_from_) wake_at = std::min(wake_at, accept_from_);
  const auto sleep = std::chrono::ceil<std::chrono::milliseconds>(std::max(wake_at, now) - now);
  if (poll(fds.data(), fds.size(), static_cast<int>(sleep.count())) <= 0) return;  // time, or a signal
  if (fds[0].revents != 0) wake_.Drain();
  for (size_t i = 0; i < connections_.size(); ++i) {
    if (fds[1 + i].revents != 0) connections_[i]->OnReady(fds[1 + i].revents);
  }
  if (accepting && fds.back().revents != 0) AcceptClients();
}

void IoLoop::TakeReplies() {
  for (const Reply& reply : queue_.TakeReplies()) {
    const auto found =
        std::ranges::find_if(connections_, [&](const auto& c) { return c->id() == reply.connection; });
    if (found != connections_.end()) (*found)->Reply(reply.message);  // else its client has gone
  }
}

void IoLoop::AcceptClients() {
  while (true) {
    strait::Result<Fd> socket = Accept(listener_);
    if (!socket.ok()) {  // no descriptors left, most likely; closing a connection frees one
      std::fprintf(stderr, "server: %s\n", socket.status().message().c_str());
      accept_from_ = Clock::now() + kAcceptPause;
      return;
    }
    if (!socket->valid()) return;
    connections_.push_back(std::make_unique<Connection>(next_id_++, std::move(*socket), options_.limits));
    if (connections_.size() > options_.max_clients) connections_.back()->Fail("server: has too many clients");
  }
}

void IoLoop::BeginStop() {
  stopping_ = true;
  listener_.Close();
  queue_.Close();
  for (const auto& connection : connections_) connection->ShutDown();
}

}  // namespace split_inference
