#include "socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace split_inference {
namespace {

using strait::Result;
using strait::Status;
using strait::StatusCode;

constexpr int kBacklog = 128;

Status TimedOut(const std::string& what) { return {StatusCode::kIo, what + ": timed out"}; }

Status Configure(const Fd& socket) {
  const int flags = fcntl(socket.get(), F_GETFL);
  if (flags < 0 || fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) < 0 ||
      fcntl(socket.get(), F_SETFD, FD_CLOEXEC) < 0) {
    return SystemError("fcntl", errno);
  }
  const int one = 1;  // a request waits for nothing: messages are small and each is awaited
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  return {};
}

// Waits until the socket is ready for `events`.
Status WaitFor(const Fd& socket, int16_t events, Clock::time_point deadline, const std::string& what) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return TimedOut(what);
    pollfd poll_fd{socket.get(), events, 0};
    const int ready = poll(&poll_fd, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return SystemError(what, errno);
  }
}

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Result<AddressList> Resolve(const std::string& host, uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error != 0) return Status(StatusCode::kIo, host + ": " + gai_strerror(error));
  return AddressList(list, &freeaddrinfo);
}

Status ConnectTo(const Fd& socket, const addrinfo& address, Clock::time_point deadline, const std::string& name) {
  if (connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return {};
  if (errno != EINPROGRESS && errno != EINTR) return SystemError(name, errno);
  if (Status status = WaitFor(socket, POLLOUT, deadline, name); !status.ok()) return status;
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
  return error == 0 ? Status() : SystemError(name, error);
}

Status ListenAt(const Fd& socket, const addrinfo& address, const std::string& name) {
  const int one = 1;  // a restarted server gets its port back at once
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  const bool listening =
      bind(socket.get(), address.ai_addr, address.ai_addrlen) == 0 && listen(socket.get(), kBacklog) == 0;
  return listening ? Status() : SystemError(name, errno);
}

// The first address of a list for which a new socket passes `prepare`.
template <typename Prepare>
Result<Fd> OpenFirst(const AddressList& addresses, const std::string& name, const Prepare& prepare) {
  Status last(StatusCode::kIo, name + ": no address");
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
    Fd fd(socket(at->ai_family, at->ai_socktype, at->ai_protocol));
    last = fd.valid() ? Configure(fd) : SystemError(name, errno);
    if (last.ok()) last = prepare(fd, *at);
    if (last.ok()) return fd;
  }
  return last;
}

}  // namespace

void Fd::Close() {
  if (valid()) close(std::exchange(fd_, -1));
}

Status SystemError(const std::string& what, int error_number) {
  return {StatusCode::kIo, what + ": " + std::strerror(error_number)};
}

Result<Fd> Listen(const std::string& host, uint16_t port) {
  STRAIT_ASSIGN_OR_RETURN(const AddressList addresses, Resolve(host, port, AI_PASSIVE));
  const std::string name = host + " port " + std::to_string(port);
  return OpenFirst(addresses, name, [&](const Fd& fd, const addrinfo& at) { return ListenAt(fd, at, name); });
}

Result<uint16_t> LocalPort(const Fd& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) < 0) {
    return SystemError("getsockname", errno);
  }
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

Result<Fd> Connect(const std::string& host, uint16_t port, std::chrono::milliseconds timeout) {
  STRAIT_ASSIGN_OR_RETURN(const AddressList addresses, Resolve(host, port, 0));
  const std::string name = host + " port " + std::to_string(port);
  const Clock::time_point deadline = Clock::now() + timeout;
  return OpenFirst(addresses, name,
                   [&](const Fd& fd, const addrinfo& at) { return ConnectTo(fd, at, deadline, name); });
}

Result<Fd> Accept(const Fd& listener) {
  while (true) {
    Fd fd(accept(listener.get(), nullptr, nullptr));
    if (fd.valid()) {
      STRAIT_RETURN_IF_ERROR(Configure(fd));
      return fd;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Fd();
    return SystemError("accept", errno);
  }
}

Transfer SendSome(const Fd& socket, std::span<const uint8_t> bytes, size_t& sent_bytes) {
  ssize_t count = 0;
  do {
    count = send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  sent_bytes = count > 0 ? static_cast<size_t>(count) : 0;
  if (count >= 0) return Transfer::kSome;
  return errno == EAGAIN || errno == EWOULDBLOCK ? Transfer::kWouldBlock : Transfer::kClosed;
}

Transfer ReceiveSome(const Fd& socket, std::span<uint8_t> bytes, size_t& received_bytes) {
  ssize_t count = 0;
  do {
    count = recv(socket.get(), bytes.data(), bytes.size(), 0);
  } while (count < 0 && errno == EINTR);
  received_bytes = count > 0 ? static_cast<size_t>(count) : 0;
  if (count > 0) return Transfer::kSome;
  return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? Transfer::kWouldBlock : Transfer::kClosed;
}

Status SendAll(const Fd& socket, std::span<const uint8_t> bytes, Clock::time_point deadline) {
  while (!bytes.empty()) {
    size_t sent_bytes = 0;
    const Transfer transfer = SendSome(socket, bytes, sent_bytes);
    if (transfer == Transfer::kClosed) return {StatusCode::kIo, "send: the other side closed the connection"};
    bytes = bytes.subspan(sent_bytes);
    if (transfer == Transfer::kWouldBlock) STRAIT_RETURN_IF_ERROR(WaitFor(socket, POLLOUT, deadline, "send"));
  }
  return {};
}

Status ReceiveAll(const Fd& socket, std::span<uint8_t> bytes, Clock::time_point deadline) {
  while (!bytes.empty()) {
    size_t received_bytes = 0;
    const Transfer transfer = ReceiveSome(socket, bytes, received_bytes);
    if (transfer == Transfer::kClosed) return {StatusCode::kIo, "receive: the other side closed the connection"};
    bytes = bytes.subspan(received_bytes);
    if (transfer == Transfer::kWouldBlock) STRAIT_RETURN_IF_ERROR(WaitFor(socket, POLLIN, deadline, "receive"));
  }
  return {};
}

}  // namespace split_inference
