// What every fallible call of Strait returns: a code to branch on and one line to read.
// A Status is a value: copy it, keep it, share it between threads as you would a std::string.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace strait {

// Numbers are frozen: they cross the C ABI and appear in logs of deployed devices.
enum class StatusCode : int32_t {
  kOk = 0,
  kInvalidArgument = 1,  // the caller's argument is out of its documented range
  kTruncated = 2,        // the bytes end before the format says they may
  kCorrupt = 3,          // the bytes contradict the format, their checksum or themselves
  kUnsupported = 4,      // sound, but of a version, type or shape this build does not handle
  kLimitExceeded = 5,    // would pass a limit set by the caller (Limits, max_bytes)
  kModelMismatch = 6,    // the frame was made with another model
  kIo = 7,               // the operating system refused a read or write
  kInternal = 8,         // a bug of Strait or of a library under it; please report it
};

// Short lower-case name of a code, for example "truncated".
std::string_view StatusCodeName(StatusCode code);

class [[nodiscard]] Status {
 public:
  Status() = default;  // ok
  Status(StatusCode code, std::string message)
      : code_(code), message_(std::make_shared<const std::string>(std::move(message))) {}

  // Without a text of its own, for when there is no memory for one.
  explicit Status(StatusCode code) : code_(code) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  // One line: where, what was wanted, what was found. Empty when ok.
  const std::string& message() const;
  // "truncated: frame: need 4 bytes of checksum, have 1", or "ok".
  std::string ToString() const;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::shared_ptr<const std::string> message_;  // null when ok, so that success costs nothing to pass on
};

}  // namespace strait
