// Counts allocations: after the first call with a shape, coding it must make none. A program of its own, since it
// replaces the global operator new.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "bench/reference_plans.h"
#include "bench/reference_units.h"
#include "strait/strait.hpp"
#include "tests/codec/test_models.h"

namespace {
long allocations = 0;
}  // namespace

// Not inlined: GCC 12 takes free for the wrong partner of a new that it cannot see into (-Wmismatched-new-delete).
[[gnu::noinline]] void* operator new(size_t bytes) {
  ++allocations;
  if (void* const memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace strait {
namespace {

template <typename Body>
long AllocationsOf(const Body& body) {
  const long before = allocations;
  body();
  return allocations - before;
}

struct Case {
  const char* name;
  ModelSpec spec;
  Shape shape;
};

std::vector<Case> Cases() {
  return {{"reference unit", ReferenceUnit(ReferenceSplits()[0]), {1, 64, 16, 16}},
          {"padded batch", testing::ConvSpec(), {3, 4, 7, 5}},
          {"tokens", testing::TokenSpec(), {2, 9, 6}},
          {"context", testing::ContextConvSpec(), {3, 4, 7, 5}}};
}

TEST(Allocation, CountsWhatTheTestItselfMakes) {
  EXPECT_EQ(AllocationsOf([] { std::vector<int>(1000).swap(*std::make_unique<std::vector<int>>()); }), 2);
}

TEST(Allocation, EncodingAndDecodingMakeNoneAfterTheFirstCallOfAShape) {
  for (const Case& c : Cases()) {
    for (const int threads : {1, 3}) {
      const auto model = testing::ModelOf(c.spec);
      Encoder encoder(model, {.threads = threads});
      Decoder decoder(model, {.threads = threads});
      // Every call sees other values than the first; the second are larger by far, so that more bytes come out.
      Tensor calm = testing::IntegerTensor(c.shape, 3), wild = testing::IntegerTensor(c.shape, 4), restored = calm;
      for (float& value : calm.data) value /= 100;
      for (float& value : wild.data) value *= 100;
      std::vector<uint8_t> frame(encoder.EncodeBound(c.shape).value());
      const double top = static_cast<double>(model->levels().size()) - 1;
      size_t bytes = encoder.EncodeInto(calm.view(), {.quality = top / 2}, frame).value();
      ASSERT_TRUE(decoder.Decode({frame.data(), bytes}, restored.view()).ok());
      Status status;
      EXPECT_EQ(AllocationsOf([&] { bytes = encoder.EncodeInto(wild.view(), {.checksum = true}, frame).value(); }),
                0)
          << c.name;
      EXPECT_EQ(AllocationsOf([&] {
                  status = decoder.Decode({frame.data(), bytes}, restored.view());
                }),
                0)
          << c.name;
      EXPECT_TRUE(status.ok()) << status.ToString();
      EXPECT_EQ(
          AllocationsOf([&] { bytes = encoder.EncodeInto(wild.view(), {.max_bytes = bytes}, frame).value(); }), 0)
          << c.name;

      const FrameView frames[] = {{frame.data(), bytes}, {frame.data(), bytes}};
      Tensor both{c.shape, {}};
      both.shape[0] *= 2;
      both.data.resize(2 * restored.data.size());
      Status statuses[2];
      ASSERT_TRUE(decoder.DecodeBatch(frames, both.view(), statuses).ok());
      EXPECT_EQ(AllocationsOf([&] { status = decoder.DecodeBatch(frames, both.view(), statuses); }), 0) << c.name;
      EXPECT_TRUE(status.ok() && statuses[0].ok() && statuses[1].ok());
    }
  }
}

TEST(Allocation, ChoosingAndObservingMakeNone) {
  for (const double local_share : {0.1, 0.0}) {
    Controller controller(MakePlan(RandomPlan(5000, 1, false, local_share, 3)).value());
    LinkEstimator estimator;
    std::mt19937 random(2);
    std::uniform_real_distribution<double> uniform;
    EXPECT_EQ(AllocationsOf([&] {
                for (int i = 0; i < 1000; ++i) {
                  estimator.Observe(i, 1e5 * uniform(random), uniform(random));
                  ChannelState channel = estimator.State(i);
                  if (i % 10 == 0) channel.bytes_per_second = 0;
                  controller.Choose(channel, {.deadline_seconds = uniform(random),
                                              .min_accuracy = 110 * uniform(random),
                                              .batch = 1 + i % 6});
                }
              }),
              0);
  }
}

}  // namespace
}  // namespace strait
