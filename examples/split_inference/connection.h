// One client of the server: bytes in, whole requests out; replies in, bytes out. Never waits.
// Belongs to the I/O thread. Memory is bounded by ConnectionLimits: one message coming in, a few replies going out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framing.h"
#include "request_queue.h"
#include "socket.h"

namespace split_inference {

struct ConnectionLimits {
  size_t max_body_bytes = size_t{1} << 20;
  size_t max_pending = 16;                            // requests without a reply; no more are read
  std::chrono::milliseconds message_timeout{10'000};  // for all of a message to come in, or any bytes to go out
  std::chrono::milliseconds idle_timeout{120'000};    // between messages
};

class Connection {
 public:
  Connection(uint64_t id, Fd socket, const ConnectionLimits& limits);

  uint64_t id() const { return id_; }
  int fd() const { return socket_.get(); }
  bool finished() const { return state_ == State::kClosed; }  // to be dropped
  // What to ask poll for.
  bool wants_read() const;
  bool wants_write() const { return !outgoing_.empty(); }
  // When CheckTime has something to do.
  Clock::time_point deadline() const;

  // Acts on what poll found.
  void OnReady(int16_t events);
  // Gives the whole request that has come in, if one has, to the queue; one that is full is tried again next time.
  // Answers a probe itself, as soon as the requests before it are answered.
  void Dispatch(RequestQueue& queue);
  // A whole message for the client.
  void Reply(const std::vector<uint8_t>& message);
  // Ends with an error, sent when the replies before it have gone out.
  void Fail(std::string_view why);
  // Takes no more requests; ends when the replies have gone out. A request that is half here gets an error.
  void ShutDown();
  // Cuts a client that is too slow.
  void CheckTime(Clock::time_point now);

 private:
  // kFailing: an error is on its way and input is thrown away until the client hangs up. Closing with unread input
  // would reset the connection and could take the error with it.
  enum class State : uint8_t { kOpen, kFailing, kClosed };

  bool has_request() const { return header_ && incoming_.size() == kHeaderBytes + header_->body_bytes; }
  // Bytes of the current message that are known to be missing.
  size_t missing_bytes() const;
  void Read();
  void Discard();
  void Write();
  void Answer(const std::vector<uint8_t>& message);
  void AppendFailure();
  void CloseIfDone();

  const uint64_t id_;
  Fd socket_;
  const ConnectionLimits limits_;
  State state_ = State::kOpen;
  std::vector<uint8_t> incoming_;  // the start of a message, at most a whole one
  std::optional<Header> header_;   // of incoming_, once that much is there
  std::vector<uint8_t> outgoing_;
  size_t pending_ = 0;          // requests in the queue or in inference
  bool peer_finished_ = false;  // sends no more; may still read
  std::string failure_;         // to be sent after the pending replies
  Clock::time_point message_start_, message_end_, last_sent_, last_active_;
};

}  // namespace split_inference
