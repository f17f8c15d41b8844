#include <gtest/gtest.h>

#include <random>

#include "entropy/rans.h"
#include "tests/entropy/random_tables.h"

namespace strait {
namespace {

// Payloads of Laplacian-like channels, decoded from copies of exactly their size so that a read past the end is
// one past an allocation.
class HostilePayload : public testing::TestWithParam<size_t> {
 protected:
  HostilePayload() {
    std::mt19937 random(21);
    std::vector<CdfTable> all;
    for (int t = 0; t < 5; ++t) all.push_back(RandomTable(random, 5 + 9 * t, true, 12));
    tables_ = CdfTableSet::Create(std::move(all), 12).value();
    Make(random, 0);
  }

  void Make(std::mt19937& random, unsigned escape_every) {
    symbols_ = RandomSymbols(random, GetParam(), layout_, tables_, escape_every);
    payload_.clear();
    EXPECT_TRUE(RansEncode(symbols_, layout_, tables_, payload_).ok());
  }

  bool Accepts(const std::vector<uint8_t>& payload) {
    std::vector<int16_t> decoded(symbols_.size());
    const std::vector<uint8_t> exact(payload);
    return RansDecode(exact, layout_, tables_, decoded).ok();
  }

  // Share of bit flips, a hundred bytes' worth of them, that decode without an error.
  double AcceptedFlips() {
    const size_t step = 1 + payload_.size() / 100;
    size_t tried = 0, accepted = 0;
    for (size_t bit = 0; bit < payload_.size() * 8; bit += step, ++tried) {
      auto flipped = payload_;
      flipped[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
      accepted += Accepts(flipped);
    }
    return static_cast<double>(accepted) / static_cast<double>(tried);
  }

  const SymbolLayout layout_{0, 5, 7};
  CdfTableSet tables_;
  std::vector<int16_t> symbols_;
  std::vector<uint8_t> payload_;
};

TEST_P(HostilePayload, HardlyAnyTruncationIsAccepted) {
  const size_t step = 1 + payload_.size() / 400;
  size_t tried = 0, accepted = 0;
  for (size_t size = 0; size < payload_.size(); size += step, ++tried) {
    accepted += Accepts({payload_.begin(), payload_.begin() + static_cast<ptrdiff_t>(size)});
  }
  EXPECT_LE(accepted, 1 + tried / 100);
}

TEST_P(HostilePayload, HardlyAnyBitFlipIsAccepted) { EXPECT_LE(AcceptedFlips(), 0.02); }

// The low bits of an escape stand for themselves: a flip there is another sound payload, so fewer are caught.
TEST_P(HostilePayload, BitFlipsAmongEscapesNeverCrashAndMostAreCaught) {
  std::mt19937 random(23);
  Make(random, 50);
  EXPECT_LE(AcceptedFlips(), 0.25);
}

TEST_P(HostilePayload, BytesLeftOverAreAnError) {
  size_t accepted = 0;
  for (int byte = 0; byte < 256; ++byte) {
    auto longer = payload_;
    longer.push_back(static_cast<uint8_t>(byte));
    accepted += Accepts(longer);
    longer.push_back(static_cast<uint8_t>(255 - byte));
    accepted += Accepts(longer);
  }
  EXPECT_LE(accepted, 5u);
}

TEST_P(HostilePayload, RandomBytesNeverCrashAndAreHardlyEverAccepted) {
  std::mt19937 random(22);
  size_t accepted = 0;
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<uint8_t> bytes(random() % 400);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    accepted += Accepts(bytes);
  }
  EXPECT_LE(accepted, 3u);
}

INSTANTIATE_TEST_SUITE_P(Symbols, HostilePayload,
                         testing::Values(size_t{40}, size_t{1000}, kManyLanesThreshold, kManyLanesThreshold + 77));

TEST(RansDecode, RejectsStatesThatNoEncoderWrites) {
  const auto tables = CdfTableSet::Create({{7, false, {128, 128}}}, 8).value();
  std::vector<int16_t> symbols(3);
  for (size_t size = 1; size <= 4; ++size) {
    std::vector<uint8_t> padded(size, 40);  // not the fewest bytes
    padded.back() = 0;
    EXPECT_EQ(RansDecode(padded, {}, tables, symbols).code(), StatusCode::kCorrupt) << size;
  }
  for (const uint8_t state : {1, 30, 31}) {  // below the start; the start, which is an empty payload
    EXPECT_EQ(RansDecode(std::vector<uint8_t>{state}, {}, tables, symbols).code(), StatusCode::kCorrupt)
        << int{state};
  }
  EXPECT_TRUE(RansDecode({}, {}, tables, symbols).ok());
  EXPECT_EQ(symbols, std::vector<int16_t>(3, 7));
}

TEST(RansDecode, RejectsStartStatesThatShouldHaveBeenNothing) {
  const auto tables = CdfTableSet::Create({{0, false, {256}}}, 8).value();
  std::vector<int16_t> symbols(kManyLanesThreshold);
  std::vector<uint8_t> payload(4, 0);
  for (int lane = 0; lane < kManyLanes; ++lane) payload.insert(payload.end(), {0, 0, 1});
  EXPECT_EQ(RansDecode(payload, {}, tables, symbols).code(), StatusCode::kCorrupt);
  EXPECT_TRUE(RansDecode({}, {}, tables, symbols).ok());
}

TEST(RansDecode, NamesLanesThatAreCutShort) {
  const auto tables = CdfTableSet::Create({{0, false, {256}}}, 8).value();
  std::vector<int16_t> symbols(kManyLanesThreshold);
  for (size_t size = 1; size < 100; ++size) {
    EXPECT_EQ(RansDecode(std::vector<uint8_t>(size, 0x01), {}, tables, symbols).code(), StatusCode::kTruncated);
  }
}

TEST(RansDecode, RejectsEscapesThatLeadOutsideInt16) {
  // Every symbol of the second table escapes from 0 by a distance above 32767 whose symbol wraps when unchecked.
  const auto written = CdfTableSet::Create({{-32768, true, {1, 255}}}, 8).value();
  const auto read = CdfTableSet::Create({{32767, true, {1, 255}}}, 8).value();
  std::vector<uint8_t> payload;
  ASSERT_TRUE(RansEncode(std::vector<int16_t>(20, 32767), {}, written, payload).ok());
  std::vector<int16_t> symbols(20);
  const Status status = RansDecode(payload, {}, read, symbols);
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_NE(status.message().find("outside int16"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace strait
