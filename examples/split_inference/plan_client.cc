#include "plan_client.h"

#include <algorithm>
#include <cstdio>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "device.h"
#include "plan_files.h"
#include "request_log.h"

namespace split_inference {
namespace {

using strait::Choice;
using strait::PlanEntry;
using strait::Result;
using strait::Route;
using strait::Status;
using strait::StatusCode;

using Scores = Result<std::vector<Score>>;
using Reply = Result<std::optional<TimedAnswer>>;

// `start` and so many seconds, which may be infinite.
Clock::time_point After(Clock::time_point start, double seconds) {
  constexpr double kLong = 1e6;
  if (!(seconds < kLong)) return Clock::time_point::max();
  return start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// When requests come: exponentially distributed pauses.
class Arrivals {
 public:
  explicit Arrivals(double interval_seconds) : interval_(interval_seconds) {}

  void WaitForNext() {
    if (interval_ <= 0) return;
    next_ +=
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(interval_ * pause_(random_)));
    std::this_thread::sleep_until(next_);
  }

 private:
  double interval_;
  Clock::time_point next_ = Clock::now();
  std::mt19937_64 random_{1};
  std::exponential_distribution<double> pause_{1.0};
};

class PlanClient {
 public:
  PlanClient(const PlanClientOptions& options, std::shared_ptr<const strait::Plan> plan, Device device,
             std::unique_ptr<Link> link)
      : options_(options), controller_(std::move(plan)), device_(std::move(device)), link_(std::move(link)) {}

  const Preparation& preparation() const { return device_.preparation(); }

  // Answers one request, which begins with the picture as the network takes it, as in strait-plan profile.
  Scores Answer(const Picture& picture, RequestRecord& record) {
    if (fallback_.valid()) fallback_.wait();  // the device is at work on the one before
    const Clock::time_point start = Clock::now();
    strait::ChannelState channel = link_->State();
    channel.seconds_per_joule = options_.seconds_per_joule;
    const Choice choice =
        controller_.Choose(channel, {options_.deadline_seconds, options_.min_accuracy, /*batch=*/1});
    record.entry = choice.entry;
    record.expected_seconds = choice.latency_seconds;
    auto scores = Run(choice, picture, start, record);
    record.measured_seconds = SecondsSince(start);
    return scores;
  }

 private:
  Scores Run(const Choice& choice, const Picture& picture, Clock::time_point start, RequestRecord& record) {
    const PlanEntry& entry = *choice.entry;
    if (entry.route == Route::kLocal) {
      link_->ProbeIfSilent();  // nothing else would tell when the link is good again
      return device_.Classify(entry, picture);
    }
    STRAIT_ASSIGN_OR_RETURN(const Upload upload, device_.Prepare(entry, picture));
    record.bytes = upload.payload_bytes;
    Reply reply = Ask(upload, After(start, choice.give_up_seconds));
    const bool is_late = reply.ok() && !reply->has_value();
    const bool is_broken = !reply.ok() && reply.status().code() == StatusCode::kIo;
    if ((is_late || is_broken) && choice.fallback != nullptr) {
      StartFallback(*choice.fallback, picture);
      if (is_late) reply = link_->Await(Clock::time_point::max());  // whichever ends first
      if (!reply.ok() || !reply->has_value()) {
        record.given_up = true;
        return fallback_.get();
      }
    }
    if (!reply.ok()) return reply.status();
    record.server_seconds = (*reply)->server_seconds;
    return std::move((*reply)->scores);
  }

  Reply Ask(const Upload& upload, Clock::time_point until) {
    STRAIT_RETURN_IF_ERROR(link_->Send(upload.kind, upload.body));
    return link_->Await(until);
  }

  void StartFallback(const PlanEntry& entry, const Picture& picture) {
    fallback_ = std::async(std::launch::async, [this, entry, picture] {
      Scores scores = device_.Classify(entry, picture);
      link_->StopWaiting();
      return scores;
    });
  }

  const PlanClientOptions& options_;
  strait::Controller controller_;
  Device device_;
  std::unique_ptr<Link> link_;
  std::future<Scores> fallback_;  // last: ends before what it uses
};

void Print(const std::string& image, size_t bytes, const std::vector<Score>& scores) {
  std::printf("%s\t%zu", image.c_str(), bytes);
  for (const Score& score : scores) std::printf("\t%u:%.6g", score.label, static_cast<double>(score.score));
  std::printf("\n");
  std::fflush(stdout);  // images may come seldom, and somebody may watch
}

Status CheckBatch(const std::string& path, const strait::Plan& plan) {
  if (std::ranges::any_of(plan.entries(), [](const PlanEntry& entry) { return entry.batch == 1; })) return {};
  return {StatusCode::kUnsupported, path + ": has no entry for one image; profile with --batch 1"};
}

}  // namespace

Result<size_t> RunPlanClient(const PlanClientOptions& options, const std::vector<std::string>& images) {
  STRAIT_ASSIGN_OR_RETURN(const PlanFiles files, OpenPlan(options.plan, options.halves, Half::kHead));
  STRAIT_RETURN_IF_ERROR(CheckBatch(options.plan, *files.plan));
  STRAIT_ASSIGN_OR_RETURN(Device device, Device::Open(files, options.network, options.slowdown));
  STRAIT_ASSIGN_OR_RETURN(RequestLog log, RequestLog::Open(options.log));
  STRAIT_ASSIGN_OR_RETURN(std::unique_ptr<Link> link, Link::Open(options.link));
  PlanClient client(options, files.plan, std::move(device), std::move(link));

  size_t failures = 0;
  const Clock::time_point begin = Clock::now();
  Arrivals arrivals(options.interval_seconds);
  const size_t most = images.size() * static_cast<size_t>(options.repeat);
  for (size_t i = 0; options.run_seconds > 0 ? SecondsSince(begin) < options.run_seconds : i < most; ++i) {
    const std::string& image = images[i % images.size()];
    const Result<Picture> picture = ReadPicture(image, client.preparation());
    arrivals.WaitForNext();
    RequestRecord record;
    record.start_seconds = SecondsSince(begin);
    const auto scores = picture.ok() ? client.Answer(*picture, record) : Scores(picture.status());
    if (IsWrongServer(scores.status())) return scores.status();
    if (!scores.ok()) {
      ++failures;
      std::fprintf(stderr, "client: %s: %s\n", image.c_str(), scores.status().message().c_str());
      continue;
    }
    if (const std::optional<uint32_t> label = ClassOf(image, options.classes)) {
      record.right = *label == scores->front().label;
    }
    log.Add(record);
    Print(image, record.bytes, *scores);
  }
  std::printf("%s", log.Summary().c_str());
  STRAIT_RETURN_IF_ERROR(log.Close());
  return failures;
}

}  // namespace split_inference
