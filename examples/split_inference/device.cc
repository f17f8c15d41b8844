#include "device.h"

#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "socket.h"
#include "strait/torch.h"

namespace split_inference {
namespace {

using strait::PlanEntry;
using strait::Result;
using strait::Route;
using strait::Status;
using strait::StatusCode;

constexpr int kTop = 5;

// Runs `compute` as a device so many times slower would.
template <typename Compute>
auto AtPace(double slowdown, const Compute& compute) {
  const Clock::time_point start = Clock::now();
  auto result = compute();
  std::this_thread::sleep_for((slowdown - 1) * (Clock::now() - start));
  return result;
}

}  // namespace

Result<Device> Device::Open(const PlanFiles& files, const std::string& network_path, double slowdown) {
  Device device;
  device.slowdown_ = slowdown;
  for (const SplitFiles& split : files.splits) {
    STRAIT_ASSIGN_OR_RETURN(Head head, Head::Load(split.head_path));
    if (device.heads_.empty()) device.preparation_ = head.preparation();
    if (!(head.preparation() == device.preparation_)) {
      return Status(StatusCode::kInvalidArgument, split.head_path + ": prepares images in another way than " +
                                                      files.splits.front().head_path + "; export both again");
    }
    // The first runs of a TorchScript module are slow.
    const Picture blank = {device.preparation_.height, device.preparation_.width,
                           std::vector<uint8_t>(size_t{3} * static_cast<size_t>(device.preparation_.height) *
                                                static_cast<size_t>(device.preparation_.width))};
    for (int i = 0; i < 2; ++i) {
      const auto features = head.Run(blank);
      if (!features.ok())
        return Status(features.status().code(), split.head_path + ": " + features.status().message());
    }
    device.heads_.emplace(split.split, std::move(head));
  }
  bool runs_locally = false;
  for (const PlanEntry& entry : files.plan->entries()) {
    if (entry.route == Route::kLocal) runs_locally = true;
    if (entry.route != Route::kSplit) continue;
    const auto split = std::ranges::find(files.splits, entry.split, &SplitFiles::split);
    if (split == files.splits.end()) {
      return Status(StatusCode::kCorrupt, "plan: has entries for split " + entry.split + " but no model of it");
    }
    device.encoders_.try_emplace({entry.split, entry.threads}, split->model,
                                 strait::CoderOptions{.threads = entry.threads});
  }
  if (!runs_locally) return device;
  if (network_path.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "plan: may run the whole network here; give its file with --network");
  }
  const Preparation& preparation = device.preparation_;
  STRAIT_ASSIGN_OR_RETURN(device.network_,
                          Scorer::Load(network_path, {3, preparation.height, preparation.width}, kTop));
  return device;
}

Result<std::vector<Score>> Device::Classify(const PlanEntry& entry, const Picture& picture) {
  torch::set_num_threads(entry.threads);
  return AtPace(slowdown_, [&]() -> Result<std::vector<Score>> {
    STRAIT_ASSIGN_OR_RETURN(auto scores, network_->Run(Normalize(picture, preparation_)));
    return std::move(scores.front());
  });
}

Result<Upload> Device::Prepare(const PlanEntry& entry, const Picture& picture) {
  torch::set_num_threads(entry.threads);
  if (entry.route == Route::kSplit) return AtPace(slowdown_, [&] { return Encode(entry, picture); });
  if (entry.split == "raw") return Upload{MessageKind::kPixels, picture.rgb, picture.rgb.size()};
  return AtPace(slowdown_, [&]() -> Result<Upload> {
    const int quality = static_cast<int>(std::lround(entry.quality));
    STRAIT_ASSIGN_OR_RETURN(std::vector<uint8_t> file, CompressJpeg(picture, quality));
    const size_t bytes = file.size();
    return Upload{MessageKind::kJpeg, std::move(file), bytes};
  });
}

Result<Upload> Device::Encode(const PlanEntry& entry, const Picture& picture) {
  STRAIT_ASSIGN_OR_RETURN(const torch::Tensor features, heads_.at(entry.split).Run(picture));
  strait::Encoder& encoder = encoders_.at({entry.split, entry.threads});
  STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> frame,
                          strait::torch_encode(encoder, features, {.quality = entry.quality}));
  return Upload{MessageKind::kSplitFrame, SplitFrameBody(entry.split, frame), frame.size()};
}

}  // namespace split_inference
