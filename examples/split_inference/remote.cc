#include "remote.h"

namespace split_inference {
namespace {

using strait::Result;
using strait::Status;
using strait::StatusCode;

constexpr size_t kMaxReplyBytes = size_t{1} << 20;

}  // namespace

Result<Remote> Remote::Connect(const std::string& host, uint16_t port, std::chrono::milliseconds timeout) {
  STRAIT_ASSIGN_OR_RETURN(Fd socket, split_inference::Connect(host, port, timeout));
  return Remote(std::move(socket), timeout);
}

Result<std::vector<Score>> Remote::Classify(std::span<const uint8_t> frame) {
  const Clock::time_point deadline = Clock::now() + timeout_;
  buffer_.clear();
  AppendMessage(MessageKind::kFrame, frame, buffer_);
  STRAIT_RETURN_IF_ERROR(SendAll(socket_, buffer_, deadline));
  uint8_t header_bytes[kHeaderBytes];
  STRAIT_RETURN_IF_ERROR(ReceiveAll(socket_, header_bytes, deadline));
  const Result<Header> header = ParseHeader(std::span(header_bytes), kMaxReplyBytes);
  if (!header.ok()) return Status(StatusCode::kIo, "server: " + header.status().message());
  buffer_.resize(header->body_bytes);
  STRAIT_RETURN_IF_ERROR(ReceiveAll(socket_, buffer_, deadline));
  if (header->kind == MessageKind::kAnswer) return ParseAnswer(buffer_);
  return ParseError(buffer_);
}

}  // namespace split_inference
