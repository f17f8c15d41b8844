// Messages of the example, each a header of 8 bytes and a body:
//
//   0  2  "St"
//   2  1  version of the protocol, 1
//   3  1  kind
//   4  4  bytes of the body, little-endian
//
// Kinds and bodies: MessageKind; numbers are little-endian. A connection carries any number of requests; each gets
// one answer or error, in order. After an error in the framing itself, the server closes. docs/two-processes.md.
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
enum class MessageKind : uint8_t {
  kFrame = 1,        // request: a Strait frame
  kAnswer = 2,       // to kFrame: 2 bytes count, then count times class (4 bytes) and score (float32), best first
  kError = 3,        // one line of text
  kSplitFrame = 4,   // request: 1 byte length of the split's name, the name, a Strait frame
  kJpeg = 5,         // request: a JPEG file of the network's input
  kPixels = 6,       // request: the same as 8-bit RGB, row by row
  kProbe = 7,        // request: anything; answered at once, without scores
  kTimedAnswer = 8,  // to 4 to 7: 4 bytes microseconds that the server took, then as kAnswer
};

bool IsRequest(MessageKind kind);

// The text of an error begins so where the server answers no request of this kind: there is no use in asking again.
inline constexpr std::string_view kWrongServer = "wrong server: ";

struct Header {
  MessageKind kind = MessageKind::kFrame;
  uint32_t body_bytes = 0;
};

// A class and what the network gives it.
struct Score {
  uint32_t label = 0;
  float score = 0;
};

struct TimedAnswer {
  double server_seconds = 0;  // from the last byte of the request to the answer
  std::vector<Score> scores;  // of a probe: none
};

// Borrows from the body.
struct SplitFrame {
  std::string_view split;
  std::span<const uint8_t> frame;
};

// Errors: kCorrupt (not this protocol), kLimitExceeded (a body of more than max_body_bytes).
strait::Result<Header> ParseHeader(std::span<const uint8_t, kHeaderBytes> bytes, size_t max_body_bytes);

// Header and body, appended to `dst`.
void AppendMessage(MessageKind kind, std::span<const uint8_t> body, std::vector<uint8_t>& dst);
void AppendError(std::string_view text, std::vector<uint8_t>& dst);
void AppendAnswer(std::span<const Score> scores, std::vector<uint8_t>& dst);
void AppendTimedAnswer(double server_seconds, std::span<const Score> scores, std::vector<uint8_t>& dst);

// The body of kSplitFrame. `split` has at most 255 bytes.
std::vector<uint8_t> SplitFrameBody(std::string_view split, std::span<const uint8_t> frame);

// Bodies. Errors: kCorrupt.
strait::Result<std::vector<Score>> ParseAnswer(std::span<const uint8_t> body);
strait::Result<TimedAnswer> ParseTimedAnswer(std::span<const uint8_t> body);
strait::Result<SplitFrame> ParseSplitFrame(std::span<const uint8_t> body);

// What an error says: kUnsupported where it is the wrong server, else kInvalidArgument.
strait::Status ParseError(std::span<const uint8_t> body);
// Whether a status is ParseError's of the former kind.
bool IsWrongServer(const strait::Status& status);

}  // namespace split_inference
