// Messages of the example, each a header of 8 bytes and a body:
//
//   0  2  "St"
//   2  1  version of the protocol, 1
//   3  1  kind
//   4  4  bytes of the body, little-endian
//
// Request: a Strait frame. Answer: 2 bytes count, then count times class (4 bytes) and score (4 bytes, float32),
// best first; numbers are little-endian. Error: one line of text. A connection carries any number of requests; each
// gets one answer or error, in order. After an error in the framing itself, the server closes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "strait/result.h"

namespace split_inference {

inline constexpr size_t kHeaderBytes = 8;

// Wire values.
enum class MessageKind : uint8_t { kRequest = 1, kAnswer = 2, kError = 3 };

struct Header {
  MessageKind kind = MessageKind::kRequest;
  uint32_t body_bytes = 0;
};

// A class and what the network's tail gives it.
struct Score {
  uint32_t label = 0;
  float score = 0;
};

// Errors: kCorrupt (not this protocol), kLimitExceeded (a body of more than max_body_bytes).
strait::Result<Header> ParseHeader(std::span<const uint8_t, kHeaderBytes> bytes, size_t max_body_bytes);

// Header and body, appended to `dst`.
void AppendMessage(MessageKind kind, std::span<const uint8_t> body, std::vector<uint8_t>& dst);
void AppendError(std::string_view text, std::vector<uint8_t>& dst);
void AppendAnswer(std::span<const Score> scores, std::vector<uint8_t>& dst);

// The body of an answer. Errors: kCorrupt.
strait::Result<std::vector<Score>> ParseAnswer(std::span<const uint8_t> body);

}  // namespace split_inference
