// The device's half of a split network: runs the head on images, encodes what crosses, has a server (or, with
// --local, this process) classify it. docs/two-processes.md.
#include <torch/utils.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine.h"
#include "head.h"
#include "remote.h"
#include "strait/encoder.h"
#include "strait/torch.h"

namespace split_inference {
namespace {

using strait::Result;
using strait::Status;

struct Options {
  std::vector<std::string> inputs;
  std::string model, head, tail;
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  strait::EncodeOptions encode;
  int repeat = 1;
  int connections = 1;
  int timeout_ms = 30'000;
};

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
  static Result<Classifier> Open(const Options& options) {
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
Status RunConnection(const Options& options, const std::vector<std::string>& images, size_t first, size_t stride,
                     Totals& totals) {
  STRAIT_ASSIGN_OR_RETURN(const std::shared_ptr<const strait::Model> model, strait::Model::Load(options.model));
  STRAIT_ASSIGN_OR_RETURN(Head head, Head::Load(options.head));
  STRAIT_ASSIGN_OR_RETURN(Classifier classifier, Classifier::Open(options));
  strait::Encoder encoder(model);
  for (int round = 0; round < options.repeat; ++round) {
    for (size_t i = first; i < images.size(); i += stride) {
      STRAIT_ASSIGN_OR_RETURN(const torch::Tensor features, head.Run(images[i]));
      STRAIT_ASSIGN_OR_RETURN(const std::vector<uint8_t> frame,
                              strait::torch_encode(encoder, features, options.encode));
      const Clock::time_point start = Clock::now();
      const Result<std::vector<Score>> scores = classifier.Classify(frame);
      const double milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
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

Status Run(const Options& options, Totals& totals) {
  torch::set_num_threads(1);  // images are small; connections are what runs in parallel
  std::vector<std::string> images;
  for (const std::string& input : options.inputs) {
    STRAIT_ASSIGN_OR_RETURN(const std::vector<std::string> files, ListImages(input));
    images.insert(images.end(), files.begin(), files.end());
  }
  const auto connections = static_cast<size_t>(options.connections);
  std::vector<Status> statuses(connections);
  std::vector<std::thread> threads;
  for (size_t k = 0; k < connections; ++k) {
    threads.emplace_back([&, k] { statuses[k] = RunConnection(options, images, k, connections, totals); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Status& status : statuses) STRAIT_RETURN_IF_ERROR(status);
  PrintSummary(totals);
  return {};
}

}  // namespace
}  // namespace split_inference

int main(int argc, char** argv) {
  split_inference::Options options;
  bool local = false;
  CLI::App app("Runs the head of a split network on images and has a server finish.", "split-inference-client");
  app.add_option("images", options.inputs, "Image files, or directories of them")->required()->type_name("PATH...");
  app.add_option("--model", options.model, "Model file of the unit")->required()->type_name("MODEL.strait");
  app.add_option("--head", options.head, "The network before the split (TorchScript)")
      ->required()
      ->type_name("HEAD.ts");
  app.add_option("--host", options.host, "Server")->capture_default_str();
  CLI::Option* port = app.add_option("--port", options.port, "Its port");
  CLI::Option* quality =
      app.add_option("--quality", options.encode.quality, "Quality (default: the model's highest)");
  app.add_option("--max-bytes", options.encode.max_bytes, "Bytes a frame may have")->excludes(quality);
  app.add_flag("--checksum", options.encode.checksum, "Frames carry 4 bytes that catch corruption");
  app.add_option("--repeat", options.repeat, "Times to go over the images")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--connections", options.connections, "Connections at once, the images dealt out among them")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--timeout-ms", options.timeout_ms, "For one round trip")
      ->check(CLI::Range(1, 3'600'000))
      ->capture_default_str();
  CLI::Option* tail = app.add_option("--tail", options.tail, "With --local")->type_name("TAIL.ts");
  CLI::Option* local_flag = app.add_flag("--local", local, "No server: decode and run the tail here");
  tail->needs(local_flag);
  local_flag->needs(tail)->excludes(port);
  app.footer(
      "A line for each image on stdout: path, bytes of its frame, then class:score, best first; a last line with "
      "means.\n"
      "Exit codes: 0 all answered, 1 not all, 2 bad usage.");
  try {
    app.parse(argc, argv);
    if (!local && options.port == 0) throw CLI::RequiredError("--port");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  split_inference::Totals totals;
  const strait::Status status = split_inference::Run(options, totals);
  if (!status.ok()) std::fprintf(stderr, "client: %s\n", status.message().c_str());
  return status.ok() && totals.failures == 0 ? 0 : 1;
}
