// The client's end of a connection to the server: a frame out, its classes back.
// One per thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "framing.h"
#include "socket.h"
#include "strait/result.h"

namespace split_inference {

class Remote {
 public:
  static strait::Result<Remote> Connect(const std::string& host, uint16_t port, std::chrono::milliseconds timeout);

  // Sends a frame and waits for its answer. Errors: kIo (the connection is of no use any more); kInvalidArgument
  // (what the server says is wrong with the frame; the next one may pass), kUnsupported (IsWrongServer).
  strait::Result<std::vector<Score>> Classify(std::span<const uint8_t> frame);

 private:
  Remote(Fd socket, std::chrono::milliseconds timeout) : socket_(std::move(socket)), timeout_(timeout) {}

  Fd socket_;
  std::chrono::milliseconds timeout_;  // for a whole round trip
  std::vector<uint8_t> buffer_;
};

}  // namespace split_inference
