#include "framing.h"

#include <bit>

namespace split_inference {
namespace {

using strait::Result;
using strait::Status;
using strait::StatusCode;

constexpr uint8_t kMagic[2] = {'S', 't'};
constexpr uint8_t kVersion = 1;
constexpr size_t kScoreBytes = 8;

uint32_t ReadU32(const uint8_t* src) {
  return uint32_t{src[0]} | uint32_t{src[1]} << 8 | uint32_t{src[2]} << 16 | uint32_t{src[3]} << 24;
}

void AppendU32(uint32_t value, std::vector<uint8_t>& dst) {
  for (int shift = 0; shift < 32; shift += 8) dst.push_back(static_cast<uint8_t>(value >> shift));
}

}  // namespace

Result<Header> ParseHeader(std::span<const uint8_t, kHeaderBytes> bytes, size_t max_body_bytes) {
  if (bytes[0] != kMagic[0] || bytes[1] != kMagic[1]) {
    return Status(StatusCode::kCorrupt, "message: does not start with \"St\"");
  }
  if (bytes[2] != kVersion) {
    return Status(StatusCode::kCorrupt,
                  "message: is of version " + std::to_string(bytes[2]) + ", wanted " + std::to_string(kVersion));
  }
  if (bytes[3] < static_cast<uint8_t>(MessageKind::kRequest) ||
      bytes[3] > static_cast<uint8_t>(MessageKind::kError)) {
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
  std::vector<uint8_t> body = {static_cast<uint8_t>(scores.size()), static_cast<uint8_t>(scores.size() >> 8)};
  for (const Score& score : scores) {
    AppendU32(score.label, body);
    AppendU32(std::bit_cast<uint32_t>(score.score), body);
  }
  AppendMessage(MessageKind::kAnswer, body, dst);
}

Result<std::vector<Score>> ParseAnswer(std::span<const uint8_t> body) {
  const size_t count = body.size() < 2 ? 0 : body[0] | size_t{body[1]} << 8;
  if (count == 0 || body.size() != 2 + count * kScoreBytes) {
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

}  // namespace split_inference
