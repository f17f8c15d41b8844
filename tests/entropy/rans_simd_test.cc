// Every instruction set gives the bytes and symbols of the scalar reference, for every type of symbol and way to
// choose tables, and steps give what one call gives.
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "entropy/rans.h"
#include "tests/entropy/random_tables.h"

namespace strait {
namespace {

// Tables, a table for each symbol, and symbols; stretches of one table as long as the case wants.
template <typename Symbol>
struct Message {
  CdfTableSet tables;
  std::vector<uint16_t> index;
  std::vector<Symbol> symbols;
};

template <typename Symbol>
Message<Symbol> RandomMessage(std::mt19937& random, size_t count, size_t longest_stretch, unsigned escape_every) {
  constexpr int kBits = 8 * sizeof(Symbol);
  const int precision = kMinPrecision + static_cast<int>(random() % (kMaxPrecision - kMinPrecision + 1));
  const int most_values = sizeof(Symbol) == 1 ? 100 : precision < 13 ? 200 : kMaxAlphabet;
  std::vector<CdfTable> tables;
  for (int t = 0; t < 6; ++t) {
    const int values = t == 0 ? 1 : 1 + static_cast<int>(random() % (t < 4 ? 63 : most_values));
    tables.push_back(RandomTable(random, values, t % 2 == 1, precision));
  }
  Message<Symbol> message;
  message.tables = CdfTableSet::Create(std::move(tables), precision, kBits).value();
  while (message.index.size() < count) {
    message.index.insert(message.index.end(), 1 + random() % longest_stretch, static_cast<uint16_t>(random() % 6));
  }
  message.index.resize(count);
  for (const uint16_t t : message.index) {
    const CdfTable& table = message.tables.table(t);
    const auto entry = static_cast<int32_t>(message.tables.EntryOf(t, random() & ((1u << precision) - 1)));
    const bool escapes = entry == table.num_values() || (escape_every != 0 && random() % escape_every == 0);
    const auto any = static_cast<Symbol>(random() >> (random() % 32));
    message.symbols.push_back(
        static_cast<Symbol>(escapes ? message.tables.Clamp(t, any) : table.min_symbol + entry));
  }
  return message;
}

template <typename Symbol>
class RansSimd : public testing::Test {};
using SymbolTypes = testing::Types<int8_t, int16_t, int32_t>;
TYPED_TEST_SUITE(RansSimd, SymbolTypes);

TYPED_TEST(RansSimd, GivesTheBytesAndSymbolsOfTheReference) {
  std::mt19937 random(31);
  const size_t counts[] = {1, 17, 1023, 1024, 1500, 4096, 6000, 16384, 16397, 40000};
  const size_t stretches[] = {1, 5, 40, 700, 20000};
  for (int trial = 0; trial < 100; ++trial) {
    const size_t count = counts[static_cast<size_t>(trial) % std::size(counts)];
    const auto message = RandomMessage<TypeParam>(random, count, stretches[random() % std::size(stretches)],
                                                  trial % 3 == 0 ? 20 : 0);
    const TableIndices indices{message.index, 0};
    std::vector<uint8_t> reference;
    RansOptions scalar;
    scalar.simd = Simd::kScalar;
    ASSERT_TRUE(RansEncode<TypeParam>(message.symbols, indices, message.tables, reference, scalar).ok());
    for (const Simd simd : AvailableSimd()) {
      RansOptions options;
      options.simd = simd;
      std::vector<uint8_t> payload;
      ASSERT_TRUE(RansEncode<TypeParam>(message.symbols, indices, message.tables, payload, options).ok());
      ASSERT_EQ(payload, reference) << SimdName(simd) << " trial " << trial;
      std::vector<TypeParam> decoded(count);
      const Status status = RansDecode<TypeParam>(payload, indices, message.tables, decoded, simd);
      ASSERT_TRUE(status.ok()) << SimdName(simd) << " trial " << trial << ": " << status.ToString();
      ASSERT_EQ(decoded, message.symbols) << SimdName(simd) << " trial " << trial;
    }
  }
}

TYPED_TEST(RansSimd, StepsGiveWhatOneCallGives) {
  std::mt19937 random(32);
  for (const size_t count : {size_t{900}, size_t{5000}, size_t{20000}}) {
    for (const size_t longest : {size_t{3}, size_t{5000}}) {
      const auto message = RandomMessage<TypeParam>(random, count, longest, 100);
      std::vector<uint8_t> payload;
      ASSERT_TRUE(
          RansEncode<TypeParam>(message.symbols, TableIndices{message.index, 0}, message.tables, payload).ok());
      for (const Simd simd : AvailableSimd()) {
        RansDecoder decoder;
        for (const size_t step : {size_t{1}, size_t{8}, size_t{48}, size_t{512}, size_t{777}}) {
          ASSERT_TRUE(decoder.Start(payload, count, message.tables, simd).ok());
          std::vector<TypeParam> decoded(count);
          for (size_t i = 0; i < count; i += step) {
            const size_t n = std::min(step, count - i);
            const TableIndices indices{std::span(message.index).subspan(i, n), 0};
            ASSERT_TRUE(decoder.Next(indices, std::span(decoded).subspan(i, n)).ok());
          }
          ASSERT_TRUE(decoder.Finish().ok());
          ASSERT_EQ(decoded, message.symbols) << SimdName(simd) << " steps of " << step;
        }
      }
    }
  }
}

TYPED_TEST(RansSimd, CodesTheExtremesOfTheType) {
  constexpr int kBits = 8 * sizeof(TypeParam);
  constexpr TypeParam kLow = std::numeric_limits<TypeParam>::min(), kHigh = std::numeric_limits<TypeParam>::max();
  const auto tables =
      CdfTableSet::Create({{kLow, true, {100, 100, 56}}, {kHigh - 1, true, {128, 64, 64}}}, 8, kBits);
  ASSERT_TRUE(tables.ok());
  for (const size_t count : {size_t{60}, size_t{20000}}) {
    std::vector<TypeParam> symbols;
    for (size_t i = 0; i < count; ++i)
      symbols.push_back(i / 20 % 3 == 0 ? kHigh : i % 7 == 0 ? TypeParam{0} : kLow);
    for (const Simd simd : AvailableSimd()) {
      RansOptions options;
      options.simd = simd;
      std::vector<uint8_t> payload;
      ASSERT_TRUE(RansEncode<TypeParam>(symbols, SymbolLayout{0, 2, 100}, tables.value(), payload, options).ok());
      std::vector<TypeParam> decoded(count);
      ASSERT_TRUE(RansDecode<TypeParam>(payload, SymbolLayout{0, 2, 100}, tables.value(), decoded, simd).ok());
      ASSERT_EQ(decoded, symbols);
    }
  }
}

TEST(RansIndices, RefusesWhatDoesNotFit) {
  const auto tables = CdfTableSet::Create({{0, false, {128, 128}}, {0, false, {256}}}, 8).value();
  const std::vector<int16_t> symbols = {0, 1, 0};
  std::vector<uint8_t> dst;
  const auto code = [&](std::vector<uint16_t> index, size_t first) {
    return RansEncode<int16_t>(symbols, TableIndices{index, first}, tables, dst).code();
  };
  EXPECT_EQ(code({0, 0, 0}, 0), StatusCode::kOk);
  EXPECT_EQ(code({0, 0}, 0), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({0, 2, 0}, 0), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({0, 0, 1}, 1), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({0, 0, 0}, SIZE_MAX), StatusCode::kInvalidArgument);
  EXPECT_EQ(RansEncode<int8_t>(std::vector<int8_t>{0}, SymbolLayout{}, tables, dst).code(),
            StatusCode::kInvalidArgument);
}

TEST(RansDecoder, RefusesMoreSymbolsThanAreLeftAndFinishingEarly) {
  const auto tables = CdfTableSet::Create({{0, false, {128, 128}}}, 8).value();
  const std::vector<int16_t> symbols(10, 1);
  std::vector<uint8_t> payload;
  ASSERT_TRUE(RansEncode<int16_t>(symbols, SymbolLayout{}, tables, payload).ok());
  RansDecoder decoder;
  ASSERT_TRUE(decoder.Start(payload, 10, tables).ok());
  const std::vector<uint16_t> index(11);
  std::vector<int16_t> decoded(11);
  EXPECT_EQ(decoder.Next<int16_t>({index, 0}, decoded).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(decoder.Finish().code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(decoder.Next<int16_t>({std::span(index).first(10), 0}, std::span(decoded).first(10)).ok());
  EXPECT_TRUE(decoder.Finish().ok());
}

TEST(RansCost, IsTheSameForChannelsAndIndicesAndInfiniteForSymbolsWithoutAnEntry) {
  const auto tables = CdfTableSet::Create({{0, false, {128, 128}}, {0, true, {192, 32, 32}}}, 8).value();
  const std::vector<int16_t> symbols = {0, 1, 1, 2, 1};
  const std::vector<uint16_t> index = {0, 0, 1, 1, 0};
  EXPECT_DOUBLE_EQ(RansCostBits<int16_t>(symbols, TableIndices{index, 0}, tables),
                   RansCostBits<int16_t>(symbols, SymbolLayout{0, 2, 2}, tables));
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_EQ(RansCostBits<int16_t>(symbols, SymbolLayout{0, 3, 2}, tables), infinite);
  EXPECT_EQ(RansCostBits<int16_t>(symbols, SymbolLayout{0, 1, 0}, tables), infinite);
  EXPECT_EQ(RansCostBits<int16_t>(symbols, TableIndices{std::span(index).first(3), 0}, tables), infinite);
  EXPECT_EQ(RansCostBits<int16_t>(symbols, TableIndices{index, 2}, tables), infinite);
  const std::vector<int16_t> outside = {2};
  EXPECT_EQ(RansCostBits<int16_t>(outside, SymbolLayout{}, tables), std::numeric_limits<double>::infinity());
}

TEST(Simd, DefaultIsAvailableAndScalarAlwaysIs) {
  const auto available = AvailableSimd();
  EXPECT_EQ(available.front(), Simd::kScalar);
  EXPECT_NE(std::find(available.begin(), available.end(), DefaultSimd()), available.end());
}

}  // namespace
}  // namespace strait
