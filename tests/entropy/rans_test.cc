#include "entropy/rans.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/entropy/random_tables.h"

namespace strait {
namespace {

std::vector<uint8_t> MustRoundTrip(const std::vector<int16_t>& symbols, const SymbolLayout& layout,
                                   const CdfTableSet& tables) {
  std::vector<uint8_t> payload;
  const Status encoded = RansEncode<int16_t>(symbols, layout, tables, payload);
  EXPECT_TRUE(encoded.ok()) << encoded.ToString();
  std::vector<int16_t> decoded(symbols.size(), 77);
  const Status status = RansDecode<int16_t>(payload, layout, tables, decoded);
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(decoded, symbols);
  return payload;
}

TEST(Rans, RoundTripsRandomShapesPrecisionsAlphabetsAndEscapes) {
  std::mt19937 random(11);
  const size_t inners[] = {1, 3, 16, 1000};
  const size_t counts[] = {
      1, 2, 5, 63, 700, 1024, 4001, kManyLanesThreshold - 1, kManyLanesThreshold, kManyLanesThreshold + 13};
  for (int trial = 0; trial < 300; ++trial) {
    const int precision = kMinPrecision + trial % (kMaxPrecision - kMinPrecision + 1);
    const size_t channels = 1 + random() % 9;
    std::vector<CdfTable> all;
    for (size_t t = 0; t < channels + 2; ++t) {
      all.push_back(RandomTable(random, 1 + static_cast<int>(random() % 200), random() % 2 == 0, precision));
    }
    const auto tables = CdfTableSet::Create(std::move(all), precision).value();
    const SymbolLayout layout{random() % 3, channels, inners[random() % 4]};
    const auto symbols =
        RandomSymbols(random, counts[random() % std::size(counts)], layout, tables, random() % 2 ? 10 : 0);
    const auto payload = MustRoundTrip(symbols, layout, tables);
    ASSERT_FALSE(HasFailure()) << "trial " << trial;
    // Rounding of states below 2^p and of the last byte; at 16 bits a step can cost 2^16 / state more than ideal.
    const double phase_bits = symbols.size() < rans::kLadder[1].least_symbols ? 0 : 80;
    EXPECT_LE(8.0 * payload.size(),
              RansCostBits<int16_t>(symbols, layout, tables) * 1.002 + precision + 8 + phase_bits)
        << "trial " << trial;
  }
}

TEST(Rans, RoundTripsTheExtremesOfInt16) {
  const auto tables =
      CdfTableSet::Create({{-32768, true, {100, 100, 56}}, {32765, true, {128, 64, 32, 32}}, {0, true, {255, 1}}},
                          8)
          .value();
  std::vector<int16_t> symbols;
  for (int i = 0; i < 300; ++i) symbols.push_back(i / 3 % 2 ? 32767 : -32768);
  MustRoundTrip(symbols, {0, 3, 1}, tables);
  while (symbols.size() < kManyLanesThreshold) symbols.push_back(symbols.size() % 2 ? -32767 : 32766);
  MustRoundTrip(symbols, {0, 3, 1}, tables);
}

TEST(Rans, SymbolsOfASingleEntryCostNothing) {
  for (int precision = kMinPrecision; precision <= kMaxPrecision; ++precision) {
    const auto tables = CdfTableSet::Create({{4, false, {1u << precision}}}, precision).value();
    for (const size_t count : {size_t{0}, size_t{1}, size_t{5000}, kManyLanesThreshold}) {
      EXPECT_TRUE(MustRoundTrip(std::vector<int16_t>(count, 4), {0, 1, 1}, tables).empty());
    }
  }
}

TEST(Rans, DeadChannelsAddNoByteBesideLiveOnes) {
  std::mt19937 random(12);
  const CdfTable dead{0, false, {4096}};
  const CdfTable live = RandomTable(random, 30, true, 12);
  const auto both = CdfTableSet::Create({live, dead, dead}, 12).value();
  const auto alone = CdfTableSet::Create({live}, 12).value();
  const auto symbols = RandomSymbols(random, 100, {0, 1, 100}, alone, 0);
  std::vector<int16_t> padded = symbols;
  padded.resize(300, 0);
  EXPECT_EQ(MustRoundTrip(padded, {0, 3, 100}, both), MustRoundTrip(symbols, {0, 1, 100}, alone));
}

TEST(Rans, OneLaneCostsAtMostPrecisionPlusOneByteOverTheIdeal) {
  std::mt19937 random(13);
  for (const size_t count : {1, 3, 10, 100, 1000}) {
    double mean_excess_bits = 0;
    constexpr int trials = 200;
    for (int trial = 0; trial < trials; ++trial) {
      const auto tables = CdfTableSet::Create({RandomTable(random, 40, true, 12)}, 12).value();
      const auto symbols = RandomSymbols(random, count, {0, 1, 1}, tables, 0);
      const auto payload = MustRoundTrip(symbols, {0, 1, 1}, tables);
      const double ideal_bits = RansCostBits<int16_t>(symbols, SymbolLayout{0, 1, 1}, tables);
      const double excess_bits = 8.0 * payload.size() - ideal_bits;
      EXPECT_LE(excess_bits, 12 + 8 + 0.001 * ideal_bits) << count;
      mean_excess_bits += excess_bits / trials;
    }
    EXPECT_LE(mean_excess_bits, 13) << count;  // 7 of start and 4 of rounding to bytes
  }
}

TEST(Rans, ManyLanesCostNextToNothing) {
  std::mt19937 random(14);
  const auto tables = CdfTableSet::Create({RandomTable(random, 40, true, 12)}, 12).value();
  for (const size_t count : {size_t{1024}, size_t{4096}, kManyLanesThreshold, size_t{100000}}) {
    const auto symbols = RandomSymbols(random, count, {0, 1, 1}, tables, 0);
    const double ideal_bytes = RansCostBits<int16_t>(symbols, SymbolLayout{0, 1, 1}, tables) / 8;
    const auto payload = MustRoundTrip(symbols, {0, 1, 1}, tables);
    EXPECT_LE(static_cast<double>(payload.size()), ideal_bytes * 1.0001 + 8) << count;
    RansOptions one_lane;
    one_lane.max_lanes = 1;
    std::vector<uint8_t> plain;
    ASSERT_TRUE(RansEncode<int16_t>(symbols, SymbolLayout{0, 1, 1}, tables, plain, one_lane).ok());
    EXPECT_LE(payload.size(), plain.size() + 8) << count;
  }
}

TEST(Rans, DecodesWhateverNumberOfLanesTheEncoderUsed) {
  std::mt19937 random(15);
  const auto tables = CdfTableSet::Create({RandomTable(random, 20, true, 12)}, 12).value();
  const auto symbols = RandomSymbols(random, 40000, {0, 1, 1}, tables, 0);
  for (const size_t lanes : {1, 4, 32, 128}) {
    RansOptions options;
    options.max_lanes = lanes;
    std::vector<uint8_t> payload;
    ASSERT_TRUE(RansEncode<int16_t>(symbols, SymbolLayout{0, 1, 1}, tables, payload, options).ok());
    std::vector<int16_t> decoded(symbols.size());
    ASSERT_TRUE(RansDecode<int16_t>(payload, SymbolLayout{0, 1, 1}, tables, decoded).ok()) << lanes;
    EXPECT_EQ(decoded, symbols) << lanes;
  }
}

TEST(Rans, AppendsToWhatTheCallerHas) {
  const auto tables = CdfTableSet::Create({{0, false, {128, 128}}}, 8).value();
  const std::vector<int16_t> symbols(100, 1);
  std::vector<uint8_t> payload;
  ASSERT_TRUE(RansEncode<int16_t>(symbols, SymbolLayout{}, tables, payload).ok());
  std::vector<uint8_t> frame = {9, 8};
  ASSERT_TRUE(RansEncode<int16_t>(symbols, SymbolLayout{}, tables, frame).ok());
  EXPECT_EQ(frame.size(), payload.size() + 2);
  EXPECT_TRUE(std::equal(payload.begin(), payload.end(), frame.begin() + 2));
  EXPECT_EQ(frame[0], 9);
}

TEST(Rans, RefusesSymbolsNoEntryCodesAndLeavesTheOutputAlone) {
  const auto tables = CdfTableSet::Create({{0, false, {128, 128}}}, 8).value();
  std::vector<uint8_t> dst = {1};
  for (const int16_t symbol : {-1, 2, 32767, -32768}) {
    const Status status = RansEncode<int16_t>(std::vector<int16_t>{0, symbol, 1}, SymbolLayout{}, tables, dst);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(dst.size(), 1u);
  }
}

TEST(Rans, RefusesLayoutsWithoutTables) {
  const auto tables = CdfTableSet::Create({{0, false, {128, 128}}}, 8).value();
  std::vector<uint8_t> dst;
  std::vector<int16_t> symbols(4);
  for (const SymbolLayout layout : {SymbolLayout{0, 2, 1}, {1, 1, 1}, {SIZE_MAX, 2, 1}, {0, 0, 1}, {0, 1, 0}}) {
    EXPECT_EQ(RansEncode<int16_t>(symbols, layout, tables, dst).code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(RansDecode<int16_t>(dst, layout, tables, symbols).code(), StatusCode::kInvalidArgument);
  }
}

TEST(Rans, CostIsTheSumOverSymbols) {
  const auto tables = CdfTableSet::Create({{0, false, {128, 128}}, {0, true, {192, 32, 32}}}, 8).value();
  EXPECT_DOUBLE_EQ(RansCostBits<int16_t>(std::vector<int16_t>{0, 1, 1, 2, 1}, SymbolLayout{0, 2, 2}, tables),
                   1 + 1 + 3 + (3 + 2) + 1);
}

}  // namespace
}  // namespace strait
