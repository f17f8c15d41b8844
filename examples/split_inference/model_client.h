// A device with one unit: every image goes through the head, every frame to the server.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "strait/encoder.h"
#include "strait/result.h"

namespace split_inference {

struct ModelClientOptions {
  std::string model, head;
  std::string tail;  // not empty: no server, the tail runs here
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  strait::EncodeOptions encode;
  int repeat = 1;
  int connections = 1;
  int timeout_ms = 30'000;
};

// Has every image answered, a line on stdout each, totals at the end. Returns how many failed; why is on stderr.
// Errors: what keeps a connection from beginning.
strait::Result<size_t> RunModelClient(const ModelClientOptions& options, const std::vector<std::string>& images);

}  // namespace split_inference
