#include <gtest/gtest.h>

#include <random>

#include "entropy/rans.h"
#include "tests/entropy/random_tables.h"

namespace strait {
namespace {

// Payloads of Laplacian-like channels, decoded from copies of exactly their size so that a read past the end is
// one past an allocation.
struct HostileCase {
  size_t symbols;
  size_t inner;  // kernels only see stretches of 16 symbols and more
};

class HostilePayload : public testing::TestWithParam<HostileCase> {
 protected:
  HostilePayload() {
    std::mt19937 random(21);
    std::vector<CdfTable> all;
    for (int t = 0; t < 5; ++t) all.push_back(RandomTable(random, 5 + 9 * t, true, 12));
    tables_ = CdfTableSet::Create(std::move(all), 12).value();
    Make(random, 0);
  }

  void Make(std::mt19937& random, unsigned escape_every) {
    symbols_ = RandomSymbols(random, GetParam().symbols, layout_, tables_, escape_every);
    payload_.clear();
    EXPECT_TRUE(RansEncode<int16_t>(symbols_, layout_, tables_, payload_).ok());
  }

  bool Accepts(const std::vector<uint8_t>& payload) {
    std::vector<int16_t> decoded(symbols_.size());
    const std::vector<uint8_t> exact(payload);
    return RansDecode<int16_t>(exact, layout_, tables_, decoded).ok();
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

  const SymbolLayout layout_{0, 5, GetParam().inner};
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
                         testing::Values(HostileCase{40, 7}, HostileCase{1000, 7}, HostileCase{1100, 300},
                                         HostileCase{5000, 300}, HostileCase{kManyLanesThreshold, 7},
                                         HostileCase{kManyLanesThreshold + 77, 1000}));

TEST(RansDecode, RejectsStatesThatNoEncoderWrites) {
  const auto tables = CdfTableSet::Create({{7, false, {128, 128}}}, 8).value();
  std::vector<int16_t> symbols(3);
  for (size_t size = 1; size <= 4; ++size) {
    std::vector<uint8_t> padded(size, 40);  // not the fewest bytes
    padded.back() = 0;
    EXPECT_EQ(RansDecode<int16_t>(padded, SymbolLayout{}, tables, symbols).code(), StatusCode::kCorrupt) << size;
  }
  for (const uint8_t state : {1, 30, 31}) {  // below the start; the start, which is an empty payload
    EXPECT_EQ(RansDecode<int16_t>(std::vector<uint8_t>{state}, SymbolLayout{}, tables, symbols).code(),
              StatusCode::kCorrupt)
        << int{state};
  }
  EXPECT_TRUE(RansDecode<int16_t>({}, SymbolLayout{}, tables, symbols).ok());
  EXPECT_EQ(symbols, std::vector<int16_t>(3, 7));
}

// A payload's one state and its words, from the bits that the decoder takes first: numbers of phases in Exp-Golomb.
std::vector<uint8_t> PayloadOfPhases(const std::vector<uint32_t>& numbers, uint32_t state, size_t words) {
  struct Words {
    std::vector<uint16_t> pushed;
    void Push(uint16_t word) { pushed.push_back(word); }
  } stack;
  stack.pushed.assign(words, 0x5a5a);
  for (size_t i = numbers.size(); i-- > 0;) rans::PutNumber(numbers[i], state, stack);
  std::vector<uint8_t> payload;
  for (; state != 0; state >>= 8) payload.push_back(static_cast<uint8_t>(state));
  for (size_t i = stack.pushed.size(); i-- > 0;) {
    payload.push_back(static_cast<uint8_t>(stack.pushed[i]));
    payload.push_back(static_cast<uint8_t>(stack.pushed[i] >> 8));
  }
  return payload;
}

TEST(RansDecode, RejectsPhasesLongerThanThePayload) {
  const auto tables = CdfTableSet::Create({{0, false, {128, 128}}}, 8).value();
  std::vector<int16_t> symbols(1024);
  for (const uint32_t number : {33u, 34u, 1000000u, 0xfffffffeu}) {  // 1 and up to 31 of the 32 units
    const Status status =
        RansDecode<int16_t>(PayloadOfPhases({number}, 1 << 20, 40), SymbolLayout{}, tables, symbols);
    EXPECT_EQ(status.code(), StatusCode::kCorrupt);
    EXPECT_NE(status.message().find("units of 32 symbols, have 32"), std::string::npos) << status.message();
  }
}

TEST(RansDecode, RejectsPhasesWithoutTheWordsOfTheirLanes) {
  const auto tables = CdfTableSet::Create({{0, false, {128, 128}}}, 8).value();
  std::vector<int16_t> symbols(kManyLanesThreshold);
  for (size_t words = 0; words < 100; ++words) {  // no units below 128 lanes
    const auto payload = PayloadOfPhases({1, 1, 1}, 1 << 20, words);
    EXPECT_EQ(RansDecode<int16_t>(payload, SymbolLayout{}, tables, symbols).code(), StatusCode::kTruncated)
        << words;
  }
}

TEST(RansDecode, RejectsAPayloadThatLostAWordOfZero) {
  // A pop of an empty stack must not stand for the zero that was cut off: retiring the lane would push it back.
  const auto tables = CdfTableSet::Create({{0, false, {256}}, {0, false, {253, 1, 1, 1}}}, 8).value();
  std::vector<int16_t> symbols(1024);
  const std::vector<uint8_t> cut = {163, 140, 141, 7, 159, 136, 48, 95, 208, 254};
  EXPECT_EQ(RansDecode<int16_t>(cut, SymbolLayout{0, 2, 960}, tables, symbols).code(), StatusCode::kTruncated);
}

TEST(RansDecode, RejectsPayloadsThatSayNothingAtLength) {
  const auto tables = CdfTableSet::Create({{0, false, {256}}}, 8).value();
  std::vector<int16_t> symbols(1024);
  EXPECT_TRUE(RansDecode<int16_t>({}, SymbolLayout{}, tables, symbols).ok());
  const auto payload = PayloadOfPhases({0}, rans::kStartState, 0);
  EXPECT_EQ(RansDecode<int16_t>(payload, SymbolLayout{}, tables, symbols).code(), StatusCode::kCorrupt);
}

TEST(RansDecode, RejectsEscapesThatLeadOutsideInt16) {
  // Every symbol of the second table escapes from 0 by a distance above 32767 whose symbol wraps when unchecked.
  const auto written = CdfTableSet::Create({{-32768, true, {1, 255}}}, 8).value();
  const auto read = CdfTableSet::Create({{32767, true, {1, 255}}}, 8).value();
  std::vector<uint8_t> payload;
  ASSERT_TRUE(RansEncode<int16_t>(std::vector<int16_t>(20, 32767), SymbolLayout{}, written, payload).ok());
  std::vector<int16_t> symbols(20);
  const Status status = RansDecode<int16_t>(payload, SymbolLayout{}, read, symbols);
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_NE(status.message().find("outside int16"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace strait
