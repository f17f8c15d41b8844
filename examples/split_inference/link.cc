#include "link.h"

#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace split_inference {
namespace {

using strait::Result;
using strait::Status;
using strait::StatusCode;

constexpr size_t kMaxReplyBytes = size_t{1} << 20;
constexpr size_t kProbeBytes =
    1400;  // as strait-plan simulate has it: about a packet, small and yet no bare round trip
constexpr std::chrono::milliseconds kConnectTimeout{5'000};
constexpr std::chrono::milliseconds kReconnectPause{1'000};

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }
double Seconds(Clock::time_point time) { return Seconds(time.time_since_epoch()); }

}  // namespace

Result<std::unique_ptr<Link>> Link::Open(const LinkOptions& options) {
  STRAIT_ASSIGN_OR_RETURN(WakePipe wake, WakePipe::Open());
  std::unique_ptr<Link> link(new Link(options, std::move(wake)));
  STRAIT_ASSIGN_OR_RETURN(link->socket_, Connect(options.host, options.port, options.timeout));
  link->thread_ = std::thread([raw = link.get()] { raw->Run(); });
  return link;
}

Link::~Link() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.Wake();
  if (thread_.joinable()) thread_.join();
}

strait::ChannelState Link::State() {
  const std::lock_guard lock(mutex_);
  if (!socket_.valid()) return {};
  const Clock::time_point now = Clock::now();
  // What is late says that the link is slow, but is no measurement yet.
  strait::LinkEstimator estimator = estimator_;
  for (const Pending& transfer : under_way_) {
    estimator.ObserveTimeout(Seconds(now), transfer.bytes, Seconds(now - transfer.start));
  }
  return estimator.State(Seconds(now));
}

Status Link::Send(MessageKind kind, std::span<const uint8_t> body) {
  {
    const std::lock_guard lock(mutex_);
    if (!socket_.valid()) return {StatusCode::kIo, "link: is down"};
    for (Pending& transfer : under_way_) transfer.awaited = false;
    answer_.reset();
    stop_waiting_ = false;
    PushLocked(kind, body, /*awaited=*/true);
  }
  wake_.Wake();
  return {};
}

Result<std::optional<TimedAnswer>> Link::Await(Clock::time_point until) {
  std::unique_lock lock(mutex_);
  const auto is_over = [&] { return answer_.has_value() || stop_waiting_; };
  if (until == Clock::time_point::max()) {  // the link's own timeout ends it, where nothing else does
    answered_.wait(lock, is_over);
  } else {
    answered_.wait_until(lock, until, is_over);
  }
  if (!answer_) return std::optional<TimedAnswer>();
  if (!answer_->ok()) return answer_->status();
  return std::optional<TimedAnswer>(std::move(**answer_));
}

void Link::StopWaiting() {
  {
    const std::lock_guard lock(mutex_);
    stop_waiting_ = true;
  }
  answered_.notify_one();
}

void Link::ProbeIfSilent() {
  {
    const std::lock_guard lock(mutex_);
    if (!socket_.valid() || !under_way_.empty() || !estimator_.NeedsProbe(Seconds(Clock::now()))) return;
    PushLocked(MessageKind::kProbe, std::vector<uint8_t>(kProbeBytes - kHeaderBytes), /*awaited=*/false);
  }
  wake_.Wake();
}

void Link::PingLocked() {
  const Clock::time_point now = Clock::now();
  const double half_life = options_.estimator.half_life_seconds;
  if (!under_way_.empty() || Seconds(now - last_ping_) < half_life) return;
  last_ping_ = now;
  PushLocked(MessageKind::kProbe, {}, /*awaited=*/false);
}

void Link::PushLocked(MessageKind kind, std::span<const uint8_t> body, bool awaited) {
  const auto own_bytes = static_cast<double>(kHeaderBytes + body.size());
  double bytes = own_bytes;
  for (const Pending& before : under_way_) bytes += before.own_bytes;  // what is still under way goes first
  under_way_.push_back({Clock::now(), own_bytes, bytes, awaited});
  AppendMessage(kind, body, outgoing_);
}

void Link::Run() {
  while (true) {
    bool up = false;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      up = socket_.valid();
    }
    if (up) {
      PollOnce();
    } else {
      Reconnect();
    }
  }
}

void Link::Reconnect() {
  Result<Fd> socket = Connect(options_.host, options_.port, kConnectTimeout);
  if (socket.ok()) {
    const std::lock_guard lock(mutex_);
    socket_ = std::move(*socket);
    return;
  }
  pollfd wake = {wake_.fd(), POLLIN, 0};
  if (poll(&wake, 1, static_cast<int>(kReconnectPause.count())) > 0) wake_.Drain();
}

void Link::PollOnce() {
  pollfd fds[2] = {{wake_.fd(), POLLIN, 0}, {socket_.get(), POLLIN, 0}};  // only this thread changes socket_
  Clock::time_point late = Clock::time_point::max();
  {
    const std::lock_guard lock(mutex_);
    if (!outgoing_.empty()) fds[1].events |= POLLOUT;
    if (!under_way_.empty()) late = under_way_.front().start + options_.timeout;
  }
  const Clock::time_point now = Clock::now();
  const auto sleep = std::chrono::ceil<std::chrono::milliseconds>(
      std::clamp<Clock::duration>(late - now, Clock::duration::zero(), options_.timeout));
  const int ready = poll(fds, 2, late == Clock::time_point::max() ? -1 : static_cast<int>(sleep.count()));
  if (ready > 0 && fds[0].revents != 0) wake_.Drain();
  const std::lock_guard lock(mutex_);
  Status status;
  if (ready > 0 && (fds[1].revents & ~POLLOUT) != 0) status = ReadLocked();
  if (status.ok()) status = WriteLocked();
  if (status.ok() && !under_way_.empty() && Clock::now() >= under_way_.front().start + options_.timeout) {
    status = Status(StatusCode::kIo, "link: the server did not answer in time");
  }
  if (!status.ok()) BreakLocked(status);
}

Status Link::ReadLocked() {
  uint8_t chunk[16 << 10];
  while (true) {
    size_t received_bytes = 0;
    switch (ReceiveSome(socket_, chunk, received_bytes)) {
      case Transfer::kWouldBlock:
        return {};
      case Transfer::kClosed:
        return {StatusCode::kIo, "link: the server closed the connection"};
      case Transfer::kSome:
        break;
    }
    incoming_.insert(incoming_.end(), chunk, chunk + received_bytes);
    STRAIT_RETURN_IF_ERROR(TakeMessagesLocked());
  }
}

Status Link::WriteLocked() {
  while (!outgoing_.empty()) {
    size_t sent_bytes = 0;
    switch (SendSome(socket_, outgoing_, sent_bytes)) {
      case Transfer::kWouldBlock:
        return {};
      case Transfer::kClosed:
        return {StatusCode::kIo, "link: the server closed the connection"};
      case Transfer::kSome:
        break;
    }
    outgoing_.erase(outgoing_.begin(), outgoing_.begin() + static_cast<std::ptrdiff_t>(sent_bytes));
  }
  return {};
}

Status Link::TakeMessagesLocked() {
  size_t at = 0;
  while (incoming_.size() - at >= kHeaderBytes) {
    const auto bytes = std::span(incoming_).subspan(at);
    const Result<Header> header = ParseHeader(bytes.first<kHeaderBytes>(), kMaxReplyBytes);
    if (!header.ok()) return {StatusCode::kIo, "link: " + header.status().message()};
    if (bytes.size() < kHeaderBytes + header->body_bytes) break;
    STRAIT_RETURN_IF_ERROR(TakeReplyLocked(header->kind, bytes.subspan(kHeaderBytes, header->body_bytes)));
    at += kHeaderBytes + header->body_bytes;
  }
  incoming_.erase(incoming_.begin(), incoming_.begin() + static_cast<std::ptrdiff_t>(at));
  return {};
}

Status Link::TakeReplyLocked(MessageKind kind, std::span<const uint8_t> body) {
  Result<TimedAnswer> reply = ParseError(body);
  if (kind != MessageKind::kError) {
    reply = kind == MessageKind::kTimedAnswer
                ? ParseTimedAnswer(body)
                : Result<TimedAnswer>(Status(StatusCode::kCorrupt, "answer: of a kind that was not asked for"));
    if (!reply.ok()) return {StatusCode::kIo, "link: " + reply.status().message()};
  }
  if (under_way_.empty())
    return {StatusCode::kIo, "link: " + (reply.ok() ? "an answer to nothing" : reply.status().message())};
  const Pending pending = under_way_.front();
  under_way_.pop_front();
  if (reply.ok()) {
    const Clock::time_point now = Clock::now();
    estimator_.Observe(Seconds(now), pending.bytes, Seconds(now - pending.start) - reply->server_seconds);
  }
  PingLocked();
  if (pending.awaited) {
    if (reply.ok() && reply->scores.empty()) reply = Status(StatusCode::kCorrupt, "answer: without a class");
    answer_ = std::move(reply);
    answered_.notify_one();
  }
  return {};
}

void Link::BreakLocked(const Status& why) {
  std::fprintf(stderr, "client: %s; connecting again\n", why.message().c_str());
  const bool awaited = std::ranges::any_of(under_way_, &Pending::awaited);
  const double now = Seconds(Clock::now());
  for (const Pending& pending : under_way_) {
    estimator_.ObserveTimeout(now, pending.bytes, now - Seconds(pending.start));
  }
  socket_.Close();
  under_way_.clear();
  outgoing_.clear();
  incoming_.clear();
  if (!awaited) return;
  answer_ = why;
  answered_.notify_one();
}

}  // namespace split_inference
