#include "framing.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <limits>
#include <utility>

namespace split_inference {
namespace {

using strait::Result;
using strait::Status;
using strait::StatusCode;

constexpr uint8_t kMagic[2] = {'S', 't'};
constexpr uint8_t kVersion = 1;
constexpr size_t kScoreBytes = 8;
constexpr size_t kTimeBytes = 4;

uint32_t ReadU32(const uint8_t* src) {
  return uint32_t{src[0]} | uint32_t{src[1]} << 8 | uint32_t{src[2]} << 16 | uint32_t{src[3]} << 24;
}

void AppendU32(uint32_t value, std::vector<uint8_t>& dst) {
  for (int shift = 0; shift < 32; shift += 8) dst.push_back(static_cast<uint8_t>(value >> shift));
}

void AppendScores(std::span<const Score> scores, std::vector<uint8_t>& body) {
  body.insert(body.end(), {static_cast<uint8_t>(scores.size()), static_cast<uint8_t>(scores.size() >> 8)});
  for (const Score& score : scores) {
    AppendU32(score.label, body);
    AppendU32(std::bit_cast<uint32_t>(score.score), body);
  }
}

Result<std::vector<Score>> ParseScores(std::span<const uint8_t> body) {
  const size_t count = body.size() < 2 ? 0 : body[0] | size_t{body[1]} << 8;
  if (body.size() != 2 + count * kScoreBytes) {
    return Status(StatusCode::kCorrupt, "answer: " + std::to_string(body.size()) + " bytes do not hold " +
                                            std::to_string(count) + " scores");
  }
  std::vector<Score> scores;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* at = &body[2 + i * kScoreBytes];
    scores.push_back({ReadU32(at), std::bit_cast<float>(ReadU32(at + 4))});
  }
  return scores;
}

}  // namespace

bool IsRequest(MessageKind kind) {
  switch (kind) {
    case MessageKind::kFrame:
    case MessageKind::kSplitFrame:
    case MessageKind::kJpeg:
    case MessageKind::kPixels:
    case MessageKind::kProbe:
      return true;
    case MessageKind::kAnswer:
    case MessageKind::kError:
    case MessageKind::kTimedAnswer:
      return false;
  }
  return false;
}

Result<Header> ParseHeader(std::span<const uint8_t, kHeaderBytes> bytes, size_t max_body_bytes) {
  if (bytes[0] != kMagic[0] || bytes[1] != kMagic[1]) {
    return Status(StatusCode::kCorrupt, "message: does not start with \"St\"");
  }
  if (bytes[2] != kVersion) {
    return Status(StatusCode::kCorrupt,
                  "message: is of version " + std::to_string(bytes[2]) + ", wanted " + std::to_string(kVersion));
  }
  if (bytes[3] < static_cast<uint8_t>(MessageKind::kFrame) ||
      bytes[3] > static_cast<uint8_t>(MessageKind::kTimedAnswer)) {
    return Status(StatusCode::kCorrupt, "message: unknown kind " + std::to_string(bytes[3]));
  }
  const uint32_t body_bytes = ReadU32(&bytes[4]);
  if (body_bytes > max_body_bytes) {
    return Status(StatusCode::kLimitExceeded, "message: body of " + std::to_string(body_bytes) +
                                                  " bytes, at most " + std::to_string(max_body_bytes));
  }
  return Header{static_cast<MessageKind>(bytes[3]), body_bytes};
}

void AppendMessage(MessageKind kind, std::span<const uint8_t> body, std::vector<uint8_t>& dst) {
  dst.insert(dst.end(), {kMagic[0], kMagic[1], kVersion, static_cast<uint8_t>(kind)});
  AppendU32(static_cast<uint32_t>(body.size()), dst);
  dst.insert(dst.end(), body.begin(), body.end());
}

void AppendError(std::string_view text, std::vector<uint8_t>& dst) {
  AppendMessage(MessageKind::kError, {reinterpret_cast<const uint8_t*>(text.data()), text.size()}, dst);
}

void AppendAnswer(std::span<const Score> scores, std::vector<uint8_t>& dst) {
  std::vector<uint8_t> body;
  AppendScores(scores, body);
  AppendMessage(MessageKind::kAnswer, body, dst);
}

void AppendTimedAnswer(double server_seconds, std::span<const Score> scores, std::vector<uint8_t>& dst) {
  constexpr double kMost = std::numeric_limits<uint32_t>::max();
  std::vector<uint8_t> body;
  AppendU32(static_cast<uint32_t>(std::clamp(1e6 * server_seconds, 0.0, kMost)), body);
  AppendScores(scores, body);
  AppendMessage(MessageKind::kTimedAnswer, body, dst);
}

std::vector<uint8_t> SplitFrameBody(std::string_view split, std::span<const uint8_t> frame) {
  assert(split.size() <= std::numeric_limits<uint8_t>::max());
  std::vector<uint8_t> body(1 + split.size() + frame.size());
  body[0] = static_cast<uint8_t>(split.size());
  const auto frame_begin = std::ranges::copy(split, body.begin() + 1).out;
  std::ranges::copy(frame, frame_begin);
  return body;
}

Result<std::vector<Score>> ParseAnswer(std::span<const uint8_t> body) {
  STRAIT_ASSIGN_OR_RETURN(std::vector<Score> scores, ParseScores(body));
  if (scores.empty()) return Status(StatusCode::kCorrupt, "answer: holds no scores");
  return scores;
}

Result<TimedAnswer> ParseTimedAnswer(std::span<const uint8_t> body) {
  if (body.size() < kTimeBytes) return Status(StatusCode::kCorrupt, "answer: has no time");
  STRAIT_ASSIGN_OR_RETURN(std::vector<Score> scores, ParseScores(body.subspan(kTimeBytes)));
  return TimedAnswer{1e-6 * ReadU32(body.data()), std::move(scores)};
}

Result<SplitFrame> ParseSplitFrame(std::span<const uint8_t> body) {
  const size_t name_bytes = body.empty() ? 0 : body[0];
  if (body.size() < 1 + name_bytes || name_bytes == 0) {
    return Status(StatusCode::kCorrupt,
                  "request: " + std::to_string(body.size()) + " bytes do not hold the name of a split");
  }
  const auto* name = reinterpret_cast<const char*>(body.data()) + 1;
  return SplitFrame{std::string_view(name, name_bytes), body.subspan(1 + name_bytes)};
}

Status ParseError(std::span<const uint8_t> body) {
  std::string text(body.begin(), body.end());
  if (text.starts_with(kWrongServer)) return {StatusCode::kUnsupported, std::move(text)};
  return {StatusCode::kInvalidArgument, "server says: " + text};
}

bool IsWrongServer(const Status& status) {
  return status.code() == StatusCode::kUnsupported && status.message().starts_with(kWrongServer);
}

}  // namespace split_inference
