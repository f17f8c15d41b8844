#include "model_client.h"

#include <torch/utils.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "engine.h"
#include "head.h"
#include "remote.h"
#include "strait/torch.h"

namespace split_inference {
namespace {

using strait::Result;
using strait::Status;

// What all connections together have seen; guarded by its mutex.
struct Totals {
  std::mutex mutex;
  std::vector<double> round_trips_ms;
  size_t bytes = 0;
  size_t failures = 0;
};

// Sends frames to the server, or decodes them here.
class Classifier {
 public:
  static Result<Classifier> Open(const ModelClientOptions& options) {
    Classifier classifier;
    if (!options.tail.empty()) {
      STRAIT_ASSIGN_OR_RETURN(Engine engine, Engine::Load(options.model, options.tail, /*top=*/5));
      classifier.local_.emplace(std::move(engine));
    } else {
      STRAIT_ASSIGN_OR_RETURN(Remote remote, Remote::Connect(options.host, options.port,
                                                             std::chrono::milliseconds(options.timeout_ms)));
      classifier.remote_.emplace(std::move(remote));
    }
    return classifier;
  }

  Result<std::vector<Score>> Classify(strait::FrameView frame) {
    if (remote_) return remote_->Classify(frame);
    return std::move(local_->Run({&frame, 1}).front());
  }

 private:
  std::optional<Engine> local_;
  std::optional<Remote> remote_;
};

void Report(const std::string& image, size_t frame_bytes, double milliseconds,
            const Result<std::vector<Score>>& scores, Totals& totals) {
  const std::lock_guard lock(totals.mutex);
  if (!scores.ok()) {
    ++totals.failures;
    std::fprintf(stderr, "client: %s: %s\n", image.c_str(), scores.status().message().c_str());
    return;
  }
  totals.bytes += frame_bytes;
  totals.round_trips_ms.push_back(milliseconds);
  std::printf("%s\t%zu", image.c_str(), frame_bytes);
  for (const Score& score : *scores) std::printf("\t%u:%.6g", score.label, static_cast<double>(score.score));
  std::printf("\n");
}

// Every `stride`-th image from `first` on, over one connection of its own.
Status RunConnection(const ModelClientOptions& options, const std::vector<std::string>& images, size_t first,
                     size_t stride, Totals& totals) {
  STRAIT_ASSIGN_OR_RETURN(const std::shared_ptr<const strait::Model> model, strait::Model::Load(options.model));
  STRAIT_ASSIGN_OR_RETURN(Head head, Head::Load(options.head));
  STRAIT_ASSIGN_OR_RETURN(Classifier classifier, Classifier::Open(options));
  strait::Encoder encoder(model);
  for (int round = 0; round < options.repeat; ++round) {
    for (size_t i = first; i < images.size(); i += stride) {
      STRAIT_ASSIGN_OR_RETURN(const Picture picture, ReadPicture(images[i], head.preparation()));
      STRAIT_ASSIGN_OR_RETURN(const torch::Tensor features, head.Run(picture));
      STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> frame,
                              strait::torch_encode(encoder, features, options.encode));
      const Clock::time_point start = Clock::now();
      const Result<std::vector<Score>> scores = classifier.Classify(frame);
      const double milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
      if (IsWrongServer(scores.status())) return scores.status();
      Report(images[i], frame.size(), milliseconds, scores, totals);
      if (!scores.ok() && scores.status().code() == strait::StatusCode::kIo)
        return {};  // reported; no way to go on
    }
  }
  return {};
}

void PrintSummary(Totals& totals) {
  std::vector<double>& times = totals.round_trips_ms;
  if (times.empty()) return;
  std::ranges::sort(times);
  const double count = static_cast<double>(times.size());
  std::printf("# %zu answers, %.1f bytes an image, round trip %.2f ms median, %.2f ms 95th percentile\n",
              times.size(), static_cast<double>(totals.bytes) / count, times[times.size() / 2],
              times[static_cast<size_t>(0.95 * (count - 1))]);
}

}  // namespace

Result<size_t> RunModelClient(const ModelClientOptions& options, const std::vector<std::string>& images) {
  torch::set_num_threads(1);  // images are small; connections are what runs in parallel
  Totals totals;
  const auto connections = static_cast<size_t>(options.connections);
  std::vector<Status> statuses(connections);
  std::vector<std::thread> threads;
  for (size_t k = 0; k < connections; ++k) {
    threads.emplace_back([&, k] { statuses[k] = RunConnection(options, images, k, connections, totals); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Status& status : statuses) STRAIT_RETURN_IF_ERROR(status);
  PrintSummary(totals);
  return totals.failures;
}

}  // namespace split_inference
