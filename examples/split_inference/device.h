// What a device computes for an entry of a plan: the whole network, or what it sends instead.
// One Device per thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framing.h"
#include "head.h"
#include "picture.h"
#include "plan_files.h"
#include "scorer.h"
#include "strait/encoder.h"
#include "strait/result.h"

namespace split_inference {

// A request for the server.
struct Upload {
  MessageKind kind = MessageKind::kPixels;
  std::vector<uint8_t> body;
  size_t payload_bytes = 0;  // the frame, file or pixels in it, as plans count
};

class Device {
 public:
  // Loads what the plan's entries need; `network_path` only where one is local. `slowdown` stands in for a device
  // so many times slower, as strait-plan profile --time-scale does: after each computation the thread sleeps
  // slowdown - 1 times what it took. At least 1.
  static strait::Result<Device> Open(const PlanFiles& files, const std::string& network_path, double slowdown);

  const Preparation& preparation() const { return preparation_; }

  // The best classes, by the whole network, with the entry's threads. Precondition: the plan has local entries.
  strait::Result<std::vector<Score>> Classify(const strait::PlanEntry& entry, const Picture& picture);
  // What goes to the server for an entry of the other routes.
  strait::Result<Upload> Prepare(const strait::PlanEntry& entry, const Picture& picture);

 private:
  Device() = default;
  strait::Result<Upload> Encode(const strait::PlanEntry& entry, const Picture& picture);

  Preparation preparation_;
  double slowdown_ = 1;
  std::optional<Scorer> network_;
  std::map<std::string, Head> heads_;                                // by split
  std::map<std::pair<std::string, int>, strait::Encoder> encoders_;  // by split and threads
};

}  // namespace split_inference
