// One Model behind many Encoders and Decoders, each on a thread of its own; run it in a build with the tsan preset.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "codec/thread_pool.h"
#include "strait/strait.hpp"
#include "tests/codec/test_models.h"

namespace strait {
namespace {

using testing::ConvSpec;
using testing::IntegerTensor;
using testing::ModelOf;

constexpr int kThreads = 8, kRounds = 20;

struct Coded {
  std::vector<uint8_t> frame;
  std::vector<float> restored;
  bool operator==(const Coded&) const = default;
};

Coded Code(Encoder& encoder, Decoder& decoder, int round) {
  const Tensor src = IntegerTensor({1 + round % 3, 4, 6 + round % 5, 8}, static_cast<uint32_t>(round));
  EncodeOptions options;
  if (round % 2 == 0) {
    options.quality = round % 33 / 16.0;
  } else {
    options.max_bytes = 400 + static_cast<size_t>(round);
  }
  Coded coded;
  Tensor restored;
  EXPECT_TRUE(encoder.Encode(src.view(), options, coded.frame).ok());
  EXPECT_TRUE(decoder.Decode(coded.frame, restored).ok());
  coded.restored = restored.data;
  return coded;
}

TEST(Threads, EightCodersOnOneModelGiveWhatOneGives) {
  const auto model = ModelOf(ConvSpec());
  std::vector<Coded> want;
  Encoder encoder(model);
  Decoder decoder(model);
  for (int round = 0; round < kRounds; ++round) want.push_back(Code(encoder, decoder, round));
  for (const int threads_each : {1, 2}) {
    std::vector<std::vector<Coded>> got(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        Encoder own_encoder(model, {.threads = threads_each});
        Decoder own_decoder(model, {.threads = threads_each});
        for (int round = 0; round < kRounds; ++round) got[t].push_back(Code(own_encoder, own_decoder, round));
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::vector<Coded>& coded : got) EXPECT_EQ(coded, want) << threads_each << " threads each";
  }
}

TEST(ThreadPool, RunsEveryJobOnceOnAnyNumberOfThreads) {
  for (const int threads : {-1, 1, 2, 5, 1000}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), std::clamp(threads, 1, 64));
    for (const int64_t jobs : {0, 1, 2, 3, 100}) {
      std::vector<int> runs(static_cast<size_t>(jobs), 0);
      pool.For(jobs, [&](int64_t job, int worker) {
        EXPECT_LT(worker, pool.threads());
        ++runs[static_cast<size_t>(job)];
      });
      EXPECT_EQ(runs, std::vector<int>(static_cast<size_t>(jobs), 1));
    }
  }
}

}  // namespace
}  // namespace strait
