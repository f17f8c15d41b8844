#include "codec/transform.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "bench/reference_units.h"
#include "codec/no_throw.h"
#include "codec/op_names.h"
#include "codec/shape_cache.h"
#include "entropy/checksum.h"
#include "tests/codec/test_models.h"

namespace strait {
namespace {

using testing::Conv;
using testing::ConvTranspose;
using testing::IntegerTensor;
using testing::IntegerValues;
using testing::Linear;
using testing::Simple;

// The definition of each op, written as plainly as it can be.
Tensor ReferenceConv(const Op& op, const Tensor& src, const Shape& dst_shape) {
  Tensor dst{dst_shape, std::vector<float>(static_cast<size_t>(NumElements(dst_shape)))};
  const bool transposed = op.kind == OpKind::kConvTranspose2d;
  const int64_t kh = op.weight.shape[2], kw = op.weight.shape[3], part = op.weight.shape[1];
  const int64_t src_c = src.shape[1], dst_c = dst_shape[1], g = op.groups;
  for (int64_t n = 0; n < dst_shape[0]; ++n)
    for (int64_t o = 0; o < dst_c; ++o)
      for (int64_t y = 0; y < dst_shape[2]; ++y)
        for (int64_t x = 0; x < dst_shape[3]; ++x) {
          double sum = op.bias.data.empty() ? 0.0 : op.bias.data[o];
          const int64_t group = o / (dst_c / g);
          for (int64_t i = group * (src_c / g); i < (group + 1) * (src_c / g); ++i)
            for (int64_t ky = 0; ky < kh; ++ky)
              for (int64_t kx = 0; kx < kw; ++kx) {
                int64_t sy = y * op.stride[0] - op.padding[0] + ky, sx = x * op.stride[1] - op.padding[1] + kx;
                if (transposed) {
                  sy = y + op.padding[0] - ky;
                  sx = x + op.padding[1] - kx;
                  if (sy % op.stride[0] != 0 || sx % op.stride[1] != 0) continue;
                  sy /= op.stride[0];
                  sx /= op.stride[1];
                }
                if (sy < 0 || sx < 0 || sy >= src.shape[2] || sx >= src.shape[3]) continue;
                const int64_t w = transposed ? (i * part + o % (dst_c / g)) : (o * part + i % (src_c / g));
                sum += double{op.weight.data[(w * kh + ky) * kw + kx]} *
                       src.data[((n * src_c + i) * src.shape[2] + sy) * src.shape[3] + sx];
              }
          dst.data[((n * dst_c + o) * dst_shape[2] + y) * dst_shape[3] + x] = static_cast<float>(sum);
        }
  return dst;
}

Tensor ReferenceLinear(const Op& op, const Tensor& src, const Shape& dst_shape) {
  Tensor dst{dst_shape, {}};
  const int64_t in = op.weight.shape[1], out = op.weight.shape[0];
  for (int64_t row = 0; row < dst_shape[0] * dst_shape[1]; ++row)
    for (int64_t o = 0; o < out; ++o) {
      double sum = op.bias.data.empty() ? 0.0 : op.bias.data[o];
      for (int64_t i = 0; i < in; ++i) sum += double{op.weight.data[o * in + i]} * src.data[row * in + i];
      dst.data.push_back(static_cast<float>(sum));
    }
  return dst;
}

Tensor ReferenceShuffle(int64_t r, const Tensor& src, const Shape& dst_shape) {
  Tensor dst{dst_shape, std::vector<float>(src.data.size())};
  for (int64_t n = 0; n < dst_shape[0]; ++n)
    for (int64_t c = 0; c < dst_shape[1]; ++c)
      for (int64_t y = 0; y < dst_shape[2]; ++y)
        for (int64_t x = 0; x < dst_shape[3]; ++x) {
          const int64_t channel = c * r * r + (y % r) * r + x % r;
          dst.data[((n * dst_shape[1] + c) * dst_shape[2] + y) * dst_shape[3] + x] =
              src.data[((n * src.shape[1] + channel) * src.shape[2] + y / r) * src.shape[3] + x / r];
        }
  return dst;
}

Tensor Reference(const Transform& transform, const Tensor& src) {
  const auto shapes = InferShapes(transform, src.shape, Limits{}).value();
  std::vector<Tensor> values{src};
  for (size_t i = 0; i < transform.size(); ++i) {
    const Op& op = transform[i];
    const std::vector<int> sources = SourcesOf(op, i);
    const Tensor& from = values[sources[0]];
    Tensor to{shapes[i + 1], from.data};
    if (op.kind == OpKind::kConv2d || op.kind == OpKind::kConvTranspose2d)
      to = ReferenceConv(op, from, shapes[i + 1]);
    if (op.kind == OpKind::kLinear) to = ReferenceLinear(op, from, shapes[i + 1]);
    if (op.kind == OpKind::kPixelShuffle) to = ReferenceShuffle(op.factor, from, shapes[i + 1]);
    for (size_t k = 0; k < to.data.size(); ++k) {
      if (op.kind == OpKind::kRelu) to.data[k] = std::max(to.data[k], 0.0f);
      if (op.kind == OpKind::kLeakyRelu && to.data[k] < 0) to.data[k] *= op.slope;
      if (op.kind == OpKind::kAdd) to.data[k] += values[sources[1]].data[k];
    }
    values.push_back(std::move(to));
  }
  return values.back();
}

std::vector<float> RunCompiled(const Transform& transform, const Tensor& src, Simd simd, int threads) {
  const TransformPlan plan = PlanTransform(transform);
  const auto shapes = InferShapes(transform, WithBatch(1, WithoutBatch(src.shape)), Limits{}).value();
  ThreadPool pool(threads);
  CompiledTransform compiled = CompiledTransform::Compile(plan, shapes, Limits{}, pool.threads(), simd).value();
  const SampleLayout layout = LayoutOf(src.view()).value();
  const int64_t sample = NumElements(compiled.dst_shape());
  std::vector<float> dst(static_cast<size_t>(sample * src.shape[0]), -1e9f);
  for (int run = 0; run < 2; ++run) {  // twice, since buffers are kept between runs
    for (int64_t n = 0; n < src.shape[0]; ++n)
      compiled.Analyze(src.view(), layout, n, dst.data() + n * sample, pool);
  }
  return dst;
}

void ExpectMatchesReference(const Transform& transform, const Shape& src_shape) {
  const Result<Shape> dst_shape = InferShape(transform, src_shape, Limits{});
  ASSERT_TRUE(dst_shape.ok()) << dst_shape.status().ToString();
  const Tensor src = IntegerTensor(src_shape, 7);
  const Tensor want = Reference(transform, src);
  float scale = 1;
  for (const float value : want.data) scale = std::max(scale, std::abs(value));
  const std::vector<float> scalar = RunCompiled(transform, src, Simd::kScalar, 1);
  ASSERT_EQ(scalar.size(), want.data.size());
  for (size_t i = 0; i < scalar.size(); ++i) ASSERT_NEAR(scalar[i], want.data[i], 1e-5 * scale) << "element " << i;
  for (const Simd simd : AvailableSimd()) {
    for (const int threads : {1, 3})
      ASSERT_EQ(RunCompiled(transform, src, simd, threads), scalar)
          << SimdName(simd) << ", " << threads << " threads";
  }
}

struct ConvCase {
  int src_channels, dst_channels, kernel, stride, padding, output_padding, groups, height, width;
};

class ConvTransform : public ::testing::TestWithParam<ConvCase> {};

TEST_P(ConvTransform, MatchesThePlainLoops) {
  const ConvCase p = GetParam();
  for (const bool bias : {false, true}) {
    ExpectMatchesReference({Conv({p.dst_channels, p.src_channels / p.groups, p.kernel, p.kernel}, bias, p.stride,
                                 p.padding, p.groups, 1)},
                           {2, p.src_channels, p.height, p.width});
  }
}

TEST_P(ConvTransform, MatchesThePlainLoopsTransposedAndFused) {
  const ConvCase p = GetParam();
  for (const OpKind activation : {OpKind::kRelu, OpKind::kLeakyRelu}) {
    ExpectMatchesReference({ConvTranspose({p.src_channels, p.dst_channels / p.groups, p.kernel, p.kernel}, true,
                                          p.stride, p.padding, p.output_padding, p.groups, 2),
                            Simple(activation)},
                           {2, p.src_channels, p.height, p.width});
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ConvTransform,
    ::testing::Values(ConvCase{3, 5, 3, 1, 1, 0, 1, 7, 5}, ConvCase{4, 4, 3, 2, 1, 1, 4, 6, 6},
                      ConvCase{16, 16, 3, 2, 1, 1, 16, 8, 8}, ConvCase{24, 24, 3, 2, 1, 0, 24, 7, 9},
                      ConvCase{64, 24, 1, 1, 0, 0, 1, 8, 8}, ConvCase{6, 9, 3, 2, 0, 1, 3, 9, 11},
                      ConvCase{8, 16, 5, 3, 2, 2, 2, 10, 7}, ConvCase{1, 1, 2, 2, 0, 1, 1, 5, 3},
                      ConvCase{32, 8, 4, 2, 1, 0, 8, 6, 10}, ConvCase{7, 7, 3, 4, 2, 3, 7, 5, 5}));

// Kernels, strides and paddings that differ by axis, strides above the kernel, groups of any width, maps of one
// row.
TEST(Transform, MatchesThePlainLoopsForRandomConvolutions) {
  std::mt19937 random(12);
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  int tried = 0;
  while (tried < 150) {
    const bool transposed = pick(0, 1) == 1;
    const int64_t groups = pick(0, 2) == 0 ? pick(1, 5) : 1, src = groups * pick(1, 9), dst = groups * pick(1, 11);
    const int64_t kh = pick(1, 6), kw = pick(1, 6);
    Op op = transposed ? ConvTranspose({src, dst / groups, kh, kw}, pick(0, 1) == 1, 1, 0, 0, 1, 3)
                       : Conv({dst, src / groups, kh, kw}, pick(0, 1) == 1, 1, 0, 1, 3);
    op.groups = static_cast<int>(groups);
    if (!op.bias.data.empty()) op.bias = {{dst}, IntegerValues(static_cast<size_t>(dst), 9)};
    for (int axis = 0; axis < 2; ++axis) {
      op.stride[axis] = pick(1, 4);
      op.padding[axis] = pick(0, static_cast<int>(op.weight.shape[2 + axis]) - 1);
      op.output_padding[axis] = transposed ? pick(0, op.stride[axis] - 1) : 0;
    }
    const Transform transform = {op, Simple(OpKind::kLeakyRelu)};
    const Shape shape{2, src, pick(1, 12), pick(1, 40)};
    if (!InferShape(transform, shape, Limits{}).ok()) continue;
    ++tried;
    SCOPED_TRACE((transposed ? "transposed " : "conv ") + ToString(shape) + " by " + ToString(op.weight.shape) +
                 " groups " + std::to_string(groups));
    ExpectMatchesReference(transform, shape);
    if (HasFatalFailure()) return;
  }
}

TEST(Transform, MatchesThePlainLoopsForLinear) {
  for (const int64_t channels : {3, 16, 33}) {
    ExpectMatchesReference({Linear({channels, 7}, false, 1)}, {1, 1, 7});
    ExpectMatchesReference({Linear({channels, 7}, true, 1), Simple(OpKind::kLeakyRelu),
                            Linear({7, channels}, true, 2), Simple(OpKind::kAdd, {3, 0}), Simple(OpKind::kRelu)},
                           {3, 5, 7});
  }
}

TEST(Transform, MatchesThePlainLoopsForPixelShuffle) {
  Op shuffle = Simple(OpKind::kPixelShuffle);
  shuffle.factor = 3;
  ExpectMatchesReference({shuffle}, {2, 18, 3, 5});
  ExpectMatchesReference({Conv({36, 4, 1, 1}, true, 1, 0, 1, 1), shuffle, Simple(OpKind::kRelu)}, {1, 4, 5, 3});
}

TEST(Transform, MatchesThePlainLoopsForResidualGraphs) {
  // A residual block, its sum read twice; an add of one value to itself; an add whose other side comes later.
  ExpectMatchesReference({Conv({8, 8, 3, 3}, true, 1, 1, 1, 1), Simple(OpKind::kRelu),
                          Conv({8, 8, 3, 3}, true, 1, 1, 1, 2), Simple(OpKind::kAdd, {3, 0}), Simple(OpKind::kRelu),
                          Conv({8, 8, 1, 1}, false, 1, 0, 1, 3), Simple(OpKind::kAdd, {5, 6})},
                         {2, 8, 7, 9});
  ExpectMatchesReference({Conv({4, 4, 3, 3}, true, 1, 1, 1, 1), Simple(OpKind::kAdd, {1, 1})}, {1, 4, 5, 5});
  ExpectMatchesReference(
      {Conv({4, 4, 3, 3}, true, 1, 1, 1, 1), Simple(OpKind::kRelu, {0}), Conv({4, 4, 1, 1}, true, 1, 0, 1, 2),
       Simple(OpKind::kAdd, {1, 3}), Simple(OpKind::kRelu, {4})},
      {1, 4, 5, 5});
}

TEST(Transform, ReturnsTheInputWhenThereIsNoOp) { ExpectMatchesReference({}, {2, 3, 4, 5}); }

// A hash that AVX2, AVX-512, NEON and plain C++ have all given: what a device encodes and a server restores is the
// same on any of them.
TEST(Transform, GivesTheSameBitsOnEveryCpu) {
  const ReferenceSplit& split = ReferenceSplits()[0];
  const ModelSpec unit = ReferenceUnit(split);
  const Tensor features = ReferenceFeatures(split);
  for (const Simd simd : AvailableSimd()) {
    Tensor latent{{1, 24, 8, 8}, RunCompiled(unit.analysis, features, simd, 1)};
    const std::vector<float> restored = RunCompiled(unit.synthesis, latent, simd, 1);
    const auto hash = [](const std::vector<float>& values) {
      return Xxh3_64({reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)});
    };
    EXPECT_EQ(hash(latent.data), 13055102487480569848u) << SimdName(simd);
    EXPECT_EQ(hash(restored), 12502769519263804844u) << SimdName(simd);
  }
}

TEST(InferShape, NamesTheOpThatDoesNotFit) {
  const Transform transform = {Simple(OpKind::kRelu), Conv({4, 3, 3, 3}, true, 1, 1, 1, 1)};
  const Result<Shape> shape = InferShape(transform, {1, 5, 8, 8}, Limits{});
  ASSERT_FALSE(shape.ok());
  EXPECT_NE(shape.status().message().find("op 1 (conv2d)"), std::string::npos) << shape.status().message();
}

TEST(InferShape, RefusesHostileOps) {
  const auto refused = [](const Op& op, const Shape& src = {1, 4, 8, 8}) {
    return !InferShape({op}, src, Limits{}).ok();
  };
  Op op = Conv({4, 4, 3, 3}, true, 1, 1, 1, 1);
  EXPECT_FALSE(refused(op));
  Op bad = op;
  bad.stride[0] = 0;
  EXPECT_TRUE(refused(bad));
  bad = op;
  bad.padding[1] = 3;
  EXPECT_TRUE(refused(bad));
  bad = op;
  bad.groups = 3;
  EXPECT_TRUE(refused(bad));
  bad = op;
  bad.src = {1};
  EXPECT_TRUE(refused(bad));
  bad = op;
  bad.weight.data[5] = NAN;
  EXPECT_TRUE(refused(bad));
  bad = op;
  bad.weight.data.pop_back();
  EXPECT_TRUE(refused(bad));
  bad = op;
  bad.bias.shape = {3};
  EXPECT_TRUE(refused(bad));
  EXPECT_TRUE(refused(op, {1, 4, 8}));
  EXPECT_TRUE(refused(op, {int64_t{1} << 40, 4, 8, 8}));
  EXPECT_TRUE(refused(Conv({4, 4, 9, 9}, false, 1, 0, 1, 1)));
}

TEST(CountMacs, CountsEachWeightOncePerUse) {
  // Depthwise 3x3 to 3x3 positions: 9 taps x 4 channels x 9; pointwise 4 to 3: 12 x 9.
  const ModelSpec spec = testing::ConvSpec();
  EXPECT_EQ(CountMacs(spec.analysis, {1, 4, 6, 6}), 9 * 4 * 9 + 12 * 9);
  EXPECT_EQ(CountMacs(spec.synthesis, {1, 3, 3, 3}), 12 * 9 + 9 * 4 * 9);
  EXPECT_EQ(CountParams(spec.analysis), 36 + 4 + 12 + 3);
}

TEST(Transform, RefusesValuesThatTogetherPassTheLimit) {
  const Transform many(40, testing::Simple(OpKind::kRelu));
  const Limits limits{.max_tensor_elements = 1000, .max_transform_elements = 4000};
  EXPECT_TRUE(InferShape(Transform(3, testing::Simple(OpKind::kRelu)), {1, 1, 10, 100}, limits).ok());
  EXPECT_EQ(InferShape(many, {1, 1, 10, 100}, limits).status().code(), StatusCode::kLimitExceeded);
  EXPECT_EQ(InferShape(many, {1, 1, 8192, 8192}, Limits{}).status().code(), StatusCode::kLimitExceeded);
}

TEST(ShapeCache, KeepsNoMoreElementsThanItMay) {
  struct Sized {
    int64_t elements;
    int64_t num_elements() const { return elements; }
  };
  ShapeCache<Sized> cache;
  int made = 0;
  const auto get = [&](int64_t n) {
    return (*cache.Get({n}, 100, [&]() -> Result<Sized> { return ++made, Sized{n}; }))->elements;
  };
  EXPECT_EQ(get(40), 40);
  EXPECT_EQ(get(50), 50);
  EXPECT_EQ(get(40), 40);
  EXPECT_EQ(made, 2) << "both fit";
  EXPECT_EQ(get(60), 60);  // 50 has not been used for longer and goes
  EXPECT_EQ(get(40), 40);
  EXPECT_EQ(made, 3);
  EXPECT_EQ(get(50), 50);
  EXPECT_EQ(made, 4);
  EXPECT_EQ(get(500), 500) << "one alone may be larger";
}

TEST(NoThrow, TurnsTheEndOfMemoryIntoAStatus) {
  const Status status = NoThrow("decode", []() -> Status { throw std::bad_alloc(); });
  EXPECT_EQ(status.code(), StatusCode::kLimitExceeded);
  EXPECT_NE(status.message().find("decode"), std::string::npos);
  const Result<int> result = NoThrow("load", []() -> Result<int> {
    return static_cast<int>(std::vector<char>(std::vector<char>().max_size() + 1).size());
  });
  EXPECT_FALSE(result.ok());
}

}  // namespace
}  // namespace strait
