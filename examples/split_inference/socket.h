// TCP over POSIX sockets, as much as both programs need. Every socket is non-blocking, closed on exec, sends
// without delay and raises no SIGPIPE.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "strait/result.h"

namespace split_inference {

using Clock = std::chrono::steady_clock;

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Close(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void Close();

 private:
  int fd_ = -1;
};

// A kIo status: "what: the system's reason".
strait::Status SystemError(const std::string& what, int error_number);

// Listens on an address; port 0 lets the system choose.
strait::Result<Fd> Listen(const std::string& host, uint16_t port);
strait::Result<uint16_t> LocalPort(const Fd& socket);

strait::Result<Fd> Connect(const std::string& host, uint16_t port, std::chrono::milliseconds timeout);

// The next waiting connection; an invalid Fd when there is none.
strait::Result<Fd> Accept(const Fd& listener);

// All of `bytes`, or an error by the deadline: kIo (the peer closed, or the network failed, or time is over).
strait::Status SendAll(const Fd& socket, std::span<const uint8_t> bytes, Clock::time_point deadline);
strait::Status ReceiveAll(const Fd& socket, std::span<uint8_t> bytes, Clock::time_point deadline);

// What one call that does not wait moved.
enum class Transfer : uint8_t { kSome, kWouldBlock, kClosed };
Transfer SendSome(const Fd& socket, std::span<const uint8_t> bytes, size_t& sent_bytes);
Transfer ReceiveSome(const Fd& socket, std::span<uint8_t> bytes, size_t& received_bytes);

}  // namespace split_inference
