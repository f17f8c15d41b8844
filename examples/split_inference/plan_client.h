// A device that runs each image where its plan says it is answered soonest, as the link is now.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "link.h"
#include "strait/result.h"

namespace split_inference {

struct PlanClientOptions {
  std::string plan, halves, network;  // network: may be empty where the plan runs nothing locally
  LinkOptions link;
  double deadline_seconds = std::numeric_limits<double>::infinity();
  double min_accuracy = 0;  // percent
  double seconds_per_joule = 0;
  // Requests come at random, so many seconds apart on average, as strait-plan simulate has them; one that comes
  // while another is at work waits. 0: one after the other.
  double interval_seconds = 0;
  double run_seconds = 0;  // 0: `repeat` times over the images
  int repeat = 1;
  double slowdown = 1;               // of the device, see Device
  std::vector<std::string> classes;  // names in the network's order
  std::string log;
};

// Runs requests over `images`, a line on stdout each, totals at the end. Returns how many failed; why is on stderr.
// Errors: kIo and those of the plan's files, before the first request.
strait::Result<size_t> RunPlanClient(const PlanClientOptions& options, const std::vector<std::string>& images);

}  // namespace split_inference
