// The sub-commands of `strait`. Each writes results to stdout and returns why it could not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "strait/result.h"

namespace strait::tools {

struct InfoArgs {
  std::string file;
  bool json = false;
};
Status RunInfo(const InfoArgs& args);

struct EncodeArgs {
  std::string model, input, output;
  std::optional<double> quality;
  std::optional<int64_t> max_bytes;
  bool checksum = false;
};
Status RunEncode(const EncodeArgs& args);

struct DecodeArgs {
  std::string model, input, output;
};
Status RunDecode(const DecodeArgs& args);

struct VerifyArgs {
  std::string model;  // empty: headers of frames only
  std::vector<std::string> files;
};
// Prints one line a file and goes on after a bad one; the Status counts them.
Status RunVerify(const VerifyArgs& args);

struct BenchArgs {
  std::string model;
  int repetitions = 31;
};
Status RunBench(const BenchArgs& args);

// A model file opens with a header length that is a multiple of 8, then '{'; a frame never does, since the low
// bits of its first byte are its version.
bool LooksLikeModel(const std::vector<uint8_t>& bytes);

}  // namespace strait::tools
