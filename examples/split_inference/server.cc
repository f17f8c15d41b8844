// The server's half of a split network: takes Strait frames (with a plan, of several splits, and whole images) from
// many clients over TCP, decodes and classifies them in batches, answers each. docs/two-processes.md. Two threads:
// the main one moves bytes, the other runs the network.
#include <torch/utils.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "io_loop.h"
#include "plan_files.h"
#include "request_queue.h"
#include "service.h"
#include "socket.h"
#include "wake_pipe.h"

namespace split_inference {
namespace {

struct Options {
  std::string model, tail;            // one unit, or
  std::string plan, halves, network;  // all of a plan
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  size_t max_batch = 32;
  size_t queue = 256;
  int wait_ms = 2;
  int top = 5;
  int threads = 0;
  int timeout_ms = 10'000;
  int idle_ms = 120'000;
  size_t max_message = size_t{1} << 20;
  size_t max_clients = 256;
};

struct Tally {
  size_t requests = 0;
  size_t errors = 0;
  size_t batches = 0;
  size_t largest_batch = 0;
};

std::vector<uint8_t> MessageFor(const Request& request, const strait::Result<std::vector<Score>>& scores) {
  std::vector<uint8_t> message;
  if (!scores.ok()) {
    const strait::Status& status = scores.status();
    AppendError(IsWrongServer(status) ? status.message() : status.ToString(), message);
  } else if (request.kind == MessageKind::kFrame) {
    AppendAnswer(*scores, message);
  } else {  // all that it waited and took, so that the client sees what the link took
    const double seconds = std::chrono::duration<double>(Clock::now() - request.arrived).count();
    AppendTimedAnswer(seconds, *scores, message);
  }
  return message;
}

strait::Result<Service> OpenService(const Options& options) {
  if (options.plan.empty()) return Service::OpenModel(options.model, options.tail, options.top);
  STRAIT_ASSIGN_OR_RETURN(const PlanFiles files, OpenPlan(options.plan, options.halves, Half::kTail));
  return Service::OpenPlan(files, options.network, options.top);
}

// The inference thread: until the queue is closed and empty.
void Serve(Service& service, RequestQueue& queue, const WakePipe& wake, const Options& options, Tally& tally) {
  const std::chrono::milliseconds wait(options.wait_ms);
  while (true) {
    const std::vector<Request> batch = queue.TakeBatch(options.max_batch, wait);
    if (batch.empty()) return;
    const auto results = service.Run(batch);
    std::vector<Reply> replies;
    for (size_t i = 0; i < batch.size(); ++i) {
      replies.push_back({batch[i].connection, MessageFor(batch[i], results[i])});
      if (!results[i].ok()) ++tally.errors;
    }
    tally.requests += batch.size();
    tally.batches += 1;
    tally.largest_batch = std::max(tally.largest_batch, batch.size());
    queue.PushReplies(std::move(replies));
    wake.Wake();
  }
}

strait::Status Run(const Options& options) {
  if (options.threads > 0) torch::set_num_threads(options.threads);
  STRAIT_ASSIGN_OR_RETURN(Service service, OpenService(options));
  STRAIT_ASSIGN_OR_RETURN(const WakePipe wake, WakePipe::Open());
  StopOnSignals(wake);
  STRAIT_ASSIGN_OR_RETURN(Fd listener, Listen(options.host, options.port));
  STRAIT_ASSIGN_OR_RETURN(const uint16_t port, LocalPort(listener));
  std::printf("listening on %s port %u\n", options.host.c_str(), unsigned{port});
  std::fflush(stdout);

  RequestQueue queue(options.queue);
  IoOptions io;
  io.limits.max_body_bytes = options.max_message;
  io.limits.message_timeout = std::chrono::milliseconds(options.timeout_ms);
  io.limits.idle_timeout = std::chrono::milliseconds(options.idle_ms);
  io.max_clients = options.max_clients;
  Tally tally;
  std::thread inference([&] { Serve(service, queue, wake, options, tally); });
  IoLoop(std::move(listener), queue, wake, io).Run();
  inference.join();
  std::fprintf(stderr, "server: %zu requests in %zu batches, the largest of %zu; %zu errors\n", tally.requests,
               tally.batches, tally.largest_batch, tally.errors);
  return {};
}

}  // namespace
}  // namespace split_inference

int main(int argc, char** argv) {
  split_inference::Options options;
  CLI::App app("Decodes and classifies what split-inference clients send.", "split-inference-server");
  CLI::Option* model =
      app.add_option("--model", options.model, "Model file of the unit")->type_name("MODEL.strait");
  CLI::Option* tail =
      app.add_option("--tail", options.tail, "The network behind the split (TorchScript)")->type_name("TAIL.ts");
  CLI::Option* plan = app.add_option("--plan", options.plan, "Instead: a plan, all of whose splits are served")
                          ->type_name("PLAN.json");
  CLI::Option* halves =
      app.add_option(
             "--halves", options.halves,
             "With --plan: DIR/SPLIT/tail.ts for each split, and a head.ts, which says how images are prepared")
          ->type_name("DIR");
  CLI::Option* network = app.add_option("--network", options.network,
                                        "With --plan, where it sends images: the whole network (TorchScript)")
                             ->type_name("NET.pt");
  model->needs(tail);
  tail->needs(model);
  plan->needs(halves)->excludes(model)->excludes(tail);
  halves->needs(plan);
  network->needs(plan);
  app.add_option("--host", options.host, "Address to listen on")->capture_default_str();
  app.add_option("--port", options.port, "Port; 0: any, it is printed")->capture_default_str();
  app.add_option("--max-batch", options.max_batch, "Largest batch")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--wait-ms", options.wait_ms, "How long a request waits for others to join its batch")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--queue", options.queue, "Requests that may wait; beyond, clients are not read")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  app.add_option("--top", options.top, "Scores in an answer")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--threads", options.threads, "Threads of LibTorch; 0: its default")->check(CLI::Range(0, 1024));
  app.add_option("--timeout-ms", options.timeout_ms, "For a message to come in, or an answer to go out")
      ->check(CLI::Range(1, 3'600'000))
      ->capture_default_str();
  app.add_option("--idle-ms", options.idle_ms, "How long a client may ask nothing")
      ->check(CLI::Range(1, 86'400'000))
      ->capture_default_str();
  app.add_option("--max-message", options.max_message, "Largest body of a message in bytes")
      ->check(CLI::Range(1, 1 << 28))
      ->capture_default_str();
  app.add_option("--max-clients", options.max_clients, "Connections at once")
      ->check(CLI::Range(1, 60'000))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
    if (options.model.empty() && options.plan.empty()) throw CLI::RequiredError("--model and --tail, or --plan");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const strait::Status status = split_inference::Run(options);
  if (status.ok()) return 0;
  std::fprintf(stderr, "server: %s\n", status.message().c_str());
  return 1;
}
