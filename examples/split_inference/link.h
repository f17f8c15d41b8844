// The client's end of a link to the server: messages under way, their answers, and what these tell of the link.
// A thread of its own moves the bytes, so that an answer is timed when it comes and not when somebody looks, and a
// request that is given up does not hold up the next. When the connection breaks the link is down until the thread
// has made a new one. Used by one thread, but for StopWaiting.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "framing.h"
#include "socket.h"
#include "strait/controller.h"
#include "strait/result.h"
#include "wake_pipe.h"

namespace split_inference {

struct LinkOptions {
  std::string host;
  uint16_t port = 0;
  std::chrono::milliseconds timeout{30'000};  // for an answer; then the connection counts as broken
  strait::LinkEstimatorOptions estimator;
};

class Link {
 public:
  // Connects. Errors: kIo.
  static strait::Result<std::unique_ptr<Link>> Open(const LinkOptions& options);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // The link as it seems now: what is late counts, too. No rate while it is down.
  strait::ChannelState State();

  // Starts sending a request, which Await then waits for; the one before is given up: when its answer comes it
  // only tells of the link. Errors: kIo (the link is down).
  strait::Status Send(MessageKind kind, std::span<const uint8_t> body);
  // The answer, or nothing when there is none by then or StopWaiting was called since Send. Errors: kIo (the
  // connection broke), kInvalidArgument (what the server says is wrong with the request), kUnsupported
  // (IsWrongServer).
  strait::Result<std::optional<TimedAnswer>> Await(Clock::time_point until);

  // Thread-safe: ends an Await in another thread.
  void StopWaiting();

  // Sends a probe where the estimate is old and nothing is under way; does not wait.
  void ProbeIfSilent();

 private:
  struct Pending {
    Clock::time_point start;
    double own_bytes = 0;
    double bytes = 0;  // its own and those that were before it in the queue
    bool awaited = false;
  };

  Link(const LinkOptions& options, WakePipe wake)
      : options_(options), wake_(std::move(wake)), estimator_(options.estimator) {}

  // The thread's; those with "Locked" want mutex_ held.
  void Run();
  void PollOnce();
  void Reconnect();
  strait::Status ReadLocked();
  strait::Status WriteLocked();
  strait::Status TakeMessagesLocked();
  void BreakLocked(const strait::Status& why);
  strait::Status TakeReplyLocked(MessageKind kind, std::span<const uint8_t> body);
  // Sends an empty probe, once in a half-life, when an answer has come: messages of one size alone do not tell a
  // slow link from a distant one. TCP knows its round trip, too, but as a slow mean, the server's time in it.
  void PingLocked();
  void PushLocked(MessageKind kind, std::span<const uint8_t> body, bool awaited);

  const LinkOptions options_;
  const WakePipe wake_;
  std::mutex mutex_;
  std::condition_variable answered_;
  bool stopping_ = false;
  bool stop_waiting_ = false;
  Fd socket_;  // invalid: the link is down
  strait::LinkEstimator estimator_;
  std::deque<Pending> under_way_;  // answers come in the order of requests
  Clock::time_point last_ping_;
  std::vector<uint8_t> outgoing_, incoming_;
  std::optional<strait::Result<TimedAnswer>> answer_;  // to the request that is awaited
  std::thread thread_;
};

}  // namespace split_inference
