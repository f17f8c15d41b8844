// What a server runs for its clients: one unit and its tail, or all that a plan may ask for. A batch at a time.
// One Service per thread.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine.h"
#include "picture.h"
#include "plan_files.h"
#include "request_queue.h"
#include "scorer.h"
#include "strait/result.h"

namespace split_inference {

class Service {
 public:
  // Serves frames that name no split.
  static strait::Result<Service> OpenModel(const std::string& model_path, const std::string& tail_path, int top);
  // Serves frames of every split of the plan and, where it sends images, these through the whole network
  // (TorchScript), else not opened. How they are prepared is read from the head of any split.
  static strait::Result<Service> OpenPlan(const PlanFiles& files, const std::string& network_path, int top);

  // One result for each request: its best classes, or why there are none. What goes through the same part of the
  // network goes together.
  std::vector<strait::Result<std::vector<Score>>> Run(std::span<const Request> requests);

 private:
  struct Images {
    Preparation preparation;
    Scorer network;
  };

  Service() = default;
  // The unit that a request's frame is for, and the frame.
  strait::Result<Engine*> Route(const Request& request, strait::FrameView& frame);
  strait::Result<Picture> ReadImage(const Request& request) const;
  strait::Status NoUnit(std::string_view split) const;
  bool has_plan() const { return !units_.contains(""); }

  std::map<std::string, Engine, std::less<>> units_;  // by split; a single model's has no name
  std::optional<Images> images_;                      // with a plan that sends some
};

}  // namespace split_inference
