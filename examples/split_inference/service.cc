#include "service.h"

#include <algorithm>
#include <utility>

#include "head.h"

namespace split_inference {
namespace {

using strait::FrameView;
using strait::Result;
using strait::Status;
using strait::StatusCode;

using Results = std::vector<Result<std::vector<Score>>>;

bool IsImage(MessageKind kind) { return kind == MessageKind::kJpeg || kind == MessageKind::kPixels; }

// A client's words in an error of one line.
std::string Printable(std::string_view text) {
  std::string result(text.substr(0, 40));
  std::ranges::replace_if(
      result, [](unsigned char c) { return c < 0x20 || c > 0x7E; }, '?');
  return result;
}

Status NoPlan() {
  return {StatusCode::kUnsupported,
          std::string(kWrongServer) + "it has one model without a plan; start the client with --model, too"};
}

}  // namespace

Result<Service> Service::OpenModel(const std::string& model_path, const std::string& tail_path, int top) {
  Service service;
  STRAIT_ASSIGN_OR_RETURN(Engine engine, Engine::Load(model_path, tail_path, top));
  service.units_.emplace("", std::move(engine));
  return service;
}

Result<Service> Service::OpenPlan(const PlanFiles& files, const std::string& network_path, int top) {
  Service service;
  for (const SplitFiles& split : files.splits) {
    STRAIT_ASSIGN_OR_RETURN(Engine engine, Engine::Load(split.model, split.tail_path, top));
    service.units_.emplace(split.split, std::move(engine));
  }
  const auto is_sent = [](const strait::PlanEntry& entry) { return entry.route == strait::Route::kOffload; };
  if (std::ranges::none_of(files.plan->entries(), is_sent)) return service;
  if (network_path.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "--network: is missing; the plan sends images, which go through it");
  }
  const auto with_head = std::ranges::find_if(files.splits, Exists, &SplitFiles::head_path);
  if (with_head == files.splits.end()) {
    return Status(StatusCode::kIo, files.splits.front().head_path +
                                       ": is missing; the plan sends images, and the head of any split says how "
                                       "they are prepared");
  }
  STRAIT_ASSIGN_OR_RETURN(const Head head, Head::Load(with_head->head_path));
  const Preparation& preparation = head.preparation();
  STRAIT_ASSIGN_OR_RETURN(Scorer network,
                          Scorer::Load(network_path, {3, preparation.height, preparation.width}, top));
  service.images_.emplace(Images{preparation, std::move(network)});
  return service;
}

Status Service::NoUnit(std::string_view split) const {
  if (!has_plan()) return NoPlan();
  std::string known;
  for (const auto& [name, engine] : units_) known += (known.empty() ? "" : ", ") + name;
  if (!split.empty()) {
    return {StatusCode::kInvalidArgument,
            "request: is for split \"" + Printable(split) + "\", this server has " + known};
  }
  return {StatusCode::kUnsupported, std::string(kWrongServer) + "it has a plan (" + known +
                                        "), the request names no split; start the client with --plan, too"};
}

Result<Engine*> Service::Route(const Request& request, FrameView& frame) {
  SplitFrame parsed = {{}, request.body};
  if (request.kind == MessageKind::kSplitFrame) {
    STRAIT_ASSIGN_OR_RETURN(parsed, ParseSplitFrame(request.body));
  }
  const auto found = units_.find(parsed.split);
  if (found == units_.end()) return NoUnit(parsed.split);
  frame = parsed.frame;
  return &found->second;
}

Result<Picture> Service::ReadImage(const Request& request) const {
  if (!has_plan()) return NoPlan();
  if (!images_) return Status(StatusCode::kInvalidArgument, "request: this server's plan sends no images");
  const auto [height, width] = std::pair(images_->preparation.height, images_->preparation.width);
  if (request.kind == MessageKind::kJpeg) return DecompressJpeg(request.body, height, width);
  const size_t wanted = size_t{3} * static_cast<size_t>(height) * static_cast<size_t>(width);
  if (request.body.size() == wanted) return Picture{height, width, request.body};
  return Status(StatusCode::kInvalidArgument,
                "pixels: " + std::to_string(request.body.size()) + " bytes, wanted " + std::to_string(wanted));
}

Results Service::Run(std::span<const Request> requests) {
  Results results(requests.size(), std::vector<Score>());
  struct Group {
    std::vector<size_t> places;
    std::vector<FrameView> frames;
  };
  std::map<Engine*, Group> groups;
  std::vector<size_t> image_places;
  std::vector<torch::Tensor> inputs;
  for (size_t i = 0; i < requests.size(); ++i) {
    if (IsImage(requests[i].kind)) {
      const Result<Picture> picture = ReadImage(requests[i]);
      if (!picture.ok()) {
        results[i] = picture.status();
        continue;
      }
      image_places.push_back(i);
      inputs.push_back(Normalize(*picture, images_->preparation));
      continue;
    }
    FrameView frame;
    const Result<Engine*> engine = Route(requests[i], frame);
    if (!engine.ok()) {
      results[i] = engine.status();
      continue;
    }
    groups[*engine].places.push_back(i);
    groups[*engine].frames.push_back(frame);
  }
  for (auto& [engine, group] : groups) {
    Results scores = engine->Run(group.frames);
    for (size_t k = 0; k < scores.size(); ++k) results[group.places[k]] = std::move(scores[k]);
  }
  if (inputs.empty()) return results;
  auto scores = images_->network.Run(torch::cat(inputs));
  for (size_t k = 0; k < inputs.size(); ++k) {
    if (scores.ok()) {
      results[image_places[k]] = std::move((*scores)[k]);
    } else {
      results[image_places[k]] = scores.status();
    }
  }
  return results;
}

}  // namespace split_inference
