#include "connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <span>
#include <utility>

namespace split_inference {
namespace {

// A body is taken in pieces of this size: a length alone makes the server allocate nothing.
constexpr size_t kChunkBytes = size_t{16} << 10;
// Replies that the client has not taken; beyond, its next request is not read.
constexpr size_t kMaxOutgoingBytes = size_t{64} << 10;

}  // namespace

Connection::Connection(uint64_t id, Fd socket, const ConnectionLimits& limits)
    : id_(id), socket_(std::move(socket)), limits_(limits), last_active_(Clock::now()) {}

bool Connection::wants_read() const {
  if (peer_finished_ || state_ == State::kClosed) return false;
  if (state_ == State::kFailing) return true;
  if (has_request()) return false;
  // Back-pressure works between messages: one that has begun is read to its end.
  return !incoming_.empty() || (pending_ < limits_.max_pending && outgoing_.size() < kMaxOutgoingBytes);
}

Clock::time_point Connection::deadline() const {
  Clock::time_point at = Clock::time_point::max();
  if (state_ == State::kFailing && pending_ == 0) at = last_active_ + limits_.message_timeout;
  if (!outgoing_.empty()) at = std::min(at, last_sent_ + limits_.message_timeout);
  if (state_ == State::kOpen && !incoming_.empty() && !has_request()) {
    at = std::min(at, message_start_ + limits_.message_timeout);
  }
  if (incoming_.empty() && outgoing_.empty() && pending_ == 0)
    at = std::min(at, last_active_ + limits_.idle_timeout);
  return at;
}

void Connection::CheckTime(Clock::time_point now) {
  if (finished() || now < deadline()) return;
  if (state_ == State::kFailing || !outgoing_.empty()) {  // does not read: an error would not arrive either
    state_ = State::kClosed;
  } else {
    Fail(incoming_.empty() ? "connection: idle for too long" : "request: the rest of it did not come in time");
  }
}

void Connection::OnReady(int16_t events) {
  if ((events & POLLOUT) != 0) Write();
  if (finished()) return;
  if (wants_read() && (events & (POLLIN | POLLHUP | POLLERR)) != 0) {
    if (state_ == State::kOpen) {
      Read();
    } else {
      Discard();
    }
  } else if ((events & (POLLHUP | POLLERR | POLLNVAL)) != 0) {  // gone both ways
    state_ = State::kClosed;
  }
}

size_t Connection::missing_bytes() const {
  return kHeaderBytes + (header_ ? header_->body_bytes : 0) - incoming_.size();
}

void Connection::Read() {
  uint8_t chunk[kChunkBytes];
  while (state_ == State::kOpen && !has_request()) {
    size_t received_bytes = 0;
    switch (ReceiveSome(socket_, std::span(chunk, std::min(missing_bytes(), kChunkBytes)), received_bytes)) {
      case Transfer::kWouldBlock:
        return;
      case Transfer::kClosed:
        peer_finished_ = true;
        incoming_.clear();  // half a message is of no use
        header_.reset();
        CloseIfDone();
        return;
      case Transfer::kSome:
        break;
    }
    last_active_ = Clock::now();
    if (incoming_.empty()) message_start_ = last_active_;
    message_end_ = last_active_;
    incoming_.insert(incoming_.end(), chunk, chunk + received_bytes);
    if (header_ || incoming_.size() < kHeaderBytes) continue;
    const auto header = ParseHeader(std::span(incoming_).first<kHeaderBytes>(), limits_.max_body_bytes);
    if (!header.ok()) {
      Fail(header.status().message());
    } else if (!IsRequest(header->kind)) {
      Fail("message: wanted a request");
    } else {
      header_ = *header;
    }
  }
}

void Connection::Discard() {
  uint8_t chunk[kChunkBytes];
  size_t received_bytes = 0;
  // One piece a round: whoever sends without end must not hold up the others.
  if (ReceiveSome(socket_, chunk, received_bytes) == Transfer::kClosed) {
    peer_finished_ = true;
    CloseIfDone();
  }
}

void Connection::Dispatch(RequestQueue& queue) {
  if (state_ != State::kOpen || !has_request() || pending_ >= limits_.max_pending) return;
  if (header_->kind == MessageKind::kProbe) {
    if (pending_ > 0) return;
    std::vector<uint8_t> message;
    AppendTimedAnswer(std::chrono::duration<double>(Clock::now() - message_end_).count(), {}, message);
    incoming_.clear();
    header_.reset();
    return Answer(message);
  }
  const auto body = std::span(incoming_).subspan(kHeaderBytes);
  if (!queue.TryPush(id_, header_->kind, message_end_, body)) return;
  ++pending_;
  incoming_.clear();
  header_.reset();
}

void Connection::Reply(const std::vector<uint8_t>& message) {
  --pending_;
  if (!finished()) Answer(message);
}

void Connection::Answer(const std::vector<uint8_t>& message) {
  if (outgoing_.empty()) last_sent_ = Clock::now();
  outgoing_.insert(outgoing_.end(), message.begin(), message.end());
  AppendFailure();
  Write();
}

void Connection::Fail(std::string_view why) {
  if (state_ != State::kOpen) return;
  state_ = State::kFailing;
  last_active_ = Clock::now();
  incoming_.clear();
  header_.reset();
  failure_ = why;
  AppendFailure();
  Write();
}

void Connection::ShutDown() {
  if (!incoming_.empty()) return Fail("server: is shutting down");
  peer_finished_ = true;
  CloseIfDone();
}

void Connection::AppendFailure() {
  if (pending_ > 0 || failure_.empty()) return;
  last_active_ = Clock::now();
  if (outgoing_.empty()) last_sent_ = last_active_;
  AppendError(std::exchange(failure_, {}), outgoing_);
}

void Connection::Write() {
  while (!outgoing_.empty()) {
    size_t sent_bytes = 0;
    const Transfer transfer = SendSome(socket_, outgoing_, sent_bytes);
    if (transfer == Transfer::kWouldBlock) return;
    if (transfer == Transfer::kClosed) {
      state_ = State::kClosed;
      return;
    }
    last_sent_ = last_active_ = Clock::now();
    outgoing_.erase(outgoing_.begin(), outgoing_.begin() + static_cast<std::ptrdiff_t>(sent_bytes));
  }
  if (state_ == State::kFailing && pending_ == 0) shutdown(socket_.get(), SHUT_WR);
  CloseIfDone();
}

void Connection::CloseIfDone() {
  if (peer_finished_ && pending_ == 0 && outgoing_.empty() && !has_request()) state_ = State::kClosed;
}

}  // namespace split_inference
