// Symbols whose tables their neighbours choose: cells by a second reading of docs/format.md, and payloads that
// every instruction set decodes position by position as the scalar code does from indices.
#include "entropy/context.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <vector>

#include "entropy/rans.h"
#include "entropy/rans_kernels.h"
#include "entropy/rans_scalar.h"
#include "entropy/select_kernels.h"
#include "tests/entropy/random_tables.h"

namespace strait {
namespace {

// Symbols {height, width, channels}.
struct Field {
  size_t height, width, channels;
  std::vector<int16_t> symbols;

  int At(size_t y, size_t x, size_t c) const { return symbols[(y * width + x) * channels + c]; }
  // Of a symbol that may lie outside, rows and columns counted from 1.
  int Clamped(size_t y, size_t x, size_t c) const {
    if (y == 0 || x == 0 || x > width) return 0;
    return std::clamp(At(y - 1, x - 1, c), -15, 15);
  }
  uint16_t Cell(size_t y, size_t x, size_t c, const ContextWeights& weights) const {
    const int neighbours[] = {Clamped(y + 1, x, c), Clamped(y, x + 1, c), Clamped(y, x, c), Clamped(y, x + 2, c)};
    int above = 0, below = 0;
    for (size_t k = 0; k < 4; ++k) {
      const int term = weights[k] * neighbours[k];
      (term > 0 ? above : below) += std::abs(term);
    }
    return static_cast<uint16_t>(16 * std::min(above, 15) + std::min(below, 15));
  }
};

struct Message {
  Field field;
  CdfTableSet tables;
  ContextWeights weights;
  std::vector<uint8_t> of_cells;
  std::vector<uint16_t> cells, index;
};

Message RandomMessage(std::mt19937& random, size_t height, size_t width, size_t channels, int widest_table,
                      unsigned escape_every) {
  Message message;
  message.field = {height, width, channels, std::vector<int16_t>(height * width * channels)};
  for (int& weight : message.weights) weight = static_cast<int>(random() % 31) - 15;
  const int precision = 9 + static_cast<int>(random() % 8);
  std::vector<CdfTable> tables;
  for (int t = 0; t < 40; ++t) {
    tables.push_back(
        RandomTable(random, 1 + static_cast<int>(random() % static_cast<unsigned>(widest_table)), true, precision));
  }
  message.tables = CdfTableSet::Create(std::move(tables), precision).value();
  if (random() % 4 != 0) message.tables.AddGatherTables();
  for (size_t i = 0; i < channels * kContextCells + ContextTables::kPadding; ++i)
    message.of_cells.push_back(static_cast<uint8_t>(random() % 40));
  size_t i = 0;
  for (size_t y = 0; y < height; ++y) {
    for (size_t x = 0; x < width; ++x) {
      for (size_t c = 0; c < channels; ++c, ++i) {
        const uint16_t cell = message.field.Cell(y, x, c, message.weights);
        const uint8_t t = message.of_cells[c * kContextCells + cell];
        message.cells.push_back(cell);
        message.index.push_back(t);
        const CdfTable& table = message.tables.table(t);
        const auto entry = static_cast<int>(message.tables.EntryOf(t, random() & ((1u << precision) - 1)));
        const bool escapes = entry == table.num_values() || (escape_every != 0 && random() % escape_every == 0);
        message.field.symbols[i] =
            static_cast<int16_t>(escapes ? static_cast<int16_t>(random()) : table.min_symbol + entry);
      }
    }
  }
  return message;
}

// Decodes the field row by row, each in two steps.
Status DecodeField(const Message& message, const std::vector<uint8_t>& payload, Simd simd,
                   std::vector<int16_t>& decoded);

// Rows of clamped symbols, as ContextNear wants them.
struct Rows {
  size_t stride, row;
  std::vector<int16_t> values;

  Rows(size_t width, size_t channels)
      : stride(InContextBlocks(channels)), row((width + 2) * stride), values(2 * row) {}
  ContextNear Near(size_t y) {
    return {values.data() + y % 2 * row + stride, values.data() + (1 - y % 2) * row + stride};
  }
};

Status DecodeField(const Message& message, const std::vector<uint8_t>& payload, Simd simd,
                   std::vector<int16_t>& decoded) {
  const Field& field = message.field;
  decoded.resize(field.symbols.size());
  RansDecoder decoder;
  if (Status status = decoder.Start(payload, decoded.size(), message.tables, simd); !status.ok()) return status;
  const ContextTables context{message.weights, field.channels, message.of_cells};
  Rows rows(field.width, field.channels);
  std::span<int16_t> left = decoded;
  for (size_t y = 0; y < field.height; ++y) {
    ContextNear near = rows.Near(y);
    for (const size_t positions : {size_t{1}, field.width - 1}) {
      const size_t symbols = positions * field.channels;
      if (Status status = decoder.NextPositions(context, near, left.first(symbols)); !status.ok()) return status;
      near.Move(positions, field.channels);
      left = left.subspan(symbols);
    }
  }
  return decoder.Finish();
}

TEST(Context, CellsAreThoseOfTheFormat) {
  std::mt19937 random(51);
  for (const size_t channels : {size_t{1}, size_t{14}, size_t{16}, size_t{50}}) {
    const Message message = RandomMessage(random, 5, 7, channels, 40, 10);
    const Field& field = message.field;
    Rows rows(field.width, channels);
    std::vector<uint16_t> cells(rows.stride);
    for (size_t y = 0; y < field.height; ++y) {
      ContextNear near = rows.Near(y);
      for (size_t x = 0; x < field.width; ++x, near.Move(1, channels)) {
        const size_t first = (y * field.width + x) * channels;
        ContextCellsAt(near, channels, message.weights, cells.data());
        for (size_t c = 0; c < channels; ++c) ASSERT_EQ(cells[c], message.cells[first + c]);
        near.Leave(std::span(field.symbols).subspan(first, channels));
      }
    }
  }
}

TEST(RansPositions, GiveTheSymbolsOfTheReference) {
  std::mt19937 random(52);
  struct Case {
    size_t height, width, channels;
    int widest_table;  // past 256 without an image of all tables
    unsigned escape_every;
  };
  const Case cases[] = {{1, 1, 1, 30, 0},    {8, 8, 14, 30, 0},    {8, 8, 14, 30, 5},   {8, 8, 48, 60, 100},
                        {9, 11, 64, 30, 0},  {9, 11, 64, 30, 40},  {16, 16, 64, 30, 0}, {16, 16, 65, 30, 1000},
                        {20, 33, 24, 90, 0}, {40, 40, 17, 30, 90}, {1, 900, 20, 30, 0}, {30, 30, 130, 200, 500},
                        {70, 90, 3, 30, 50}, {20, 20, 40, 400, 0}};
  for (const Case& c : cases) {
    for (int trial = 0; trial < 3; ++trial) {
      const Message message = RandomMessage(random, c.height, c.width, c.channels, c.widest_table, c.escape_every);
      const Field& field = message.field;
      std::vector<uint8_t> payload;
      ASSERT_TRUE(RansEncode<int16_t>(field.symbols, TableIndices{message.index, 0}, message.tables, payload).ok());
      for (const Simd simd : AvailableSimd()) {
        std::vector<int16_t> decoded;
        const Status status = DecodeField(message, payload, simd, decoded);
        ASSERT_TRUE(status.ok()) << SimdName(simd) << ": " << status.ToString();
        ASSERT_EQ(decoded, field.symbols) << SimdName(simd) << ", " << c.channels << " channels";
      }
    }
  }
}

TEST(RansPositions, RefuseWhatDoesNotFit) {
  std::mt19937 random(53);
  Message message = RandomMessage(random, 10, 10, 64, 30, 0);
  std::vector<uint8_t> payload;
  ASSERT_TRUE(
      RansEncode<int16_t>(message.field.symbols, TableIndices{message.index, 0}, message.tables, payload).ok());
  for (const Simd simd : AvailableSimd()) {
    Rows rows(10, 64);
    std::vector<int16_t> decoded(640);
    const auto next = [&](size_t channels, std::span<const uint8_t> of_cells, size_t symbols) {
      RansDecoder decoder;
      EXPECT_TRUE(decoder.Start(payload, message.field.symbols.size(), message.tables, simd).ok());
      return decoder
          .NextPositions({message.weights, channels, of_cells}, rows.Near(0), std::span(decoded).first(symbols))
          .code();
    };
    EXPECT_EQ(next(64, message.of_cells, 640), StatusCode::kOk);
    EXPECT_EQ(next(64, message.of_cells, 639), StatusCode::kInvalidArgument);
    EXPECT_EQ(next(0, message.of_cells, 640), StatusCode::kInvalidArgument);
    EXPECT_EQ(next(64, std::span(message.of_cells).first(64 * kContextCells), 640), StatusCode::kInvalidArgument);
    std::vector<uint8_t> no_table = message.of_cells;
    no_table[20 * kContextCells] = 40;  // of the first position's symbol 20, whose neighbours are zeros
    EXPECT_EQ(next(64, no_table, 640), StatusCode::kInvalidArgument);

    RansDecoder decoder;
    ASSERT_TRUE(decoder.Start(payload, 128, message.tables, simd).ok());
    const ContextTables context{message.weights, 64, message.of_cells};
    EXPECT_EQ(decoder.NextPositions(context, rows.Near(0), decoded).code(), StatusCode::kInvalidArgument);
    ContextTables heavy = context;
    heavy.weights[2] = 16;
    EXPECT_EQ(decoder.NextPositions(heavy, rows.Near(0), std::span(decoded).first(64)).code(),
              StatusCode::kInvalidArgument);
    const auto of_bytes = CdfTableSet::Create({{0, false, {256}}}, 8, 8).value();
    ASSERT_TRUE(decoder.Start({}, 128, of_bytes, simd).ok());
    EXPECT_EQ(decoder.NextPositions(context, rows.Near(0), std::span(decoded).first(128)).code(),
              StatusCode::kInvalidArgument);
  }
}

TEST(RansPositions, MeanTheSameToEveryInstructionSetWhenTheyAreCorrupt) {
  std::mt19937 random(54);
  for (int trial = 0; trial < 40; ++trial) {
    const Message message = RandomMessage(random, 16, 16, trial % 3 == 0 ? 30 : 64, 30, trial % 2 == 0 ? 100 : 0);
    std::vector<uint8_t> payload;
    ASSERT_TRUE(
        RansEncode<int16_t>(message.field.symbols, TableIndices{message.index, 0}, message.tables, payload).ok());
    for (int damage = 0; damage < 10; ++damage) {
      std::vector<uint8_t> damaged = payload;
      const size_t at = random() % payload.size();
      if (damage < 4) damaged.resize(at);
      if (damage >= 4 && damage < 8) damaged[at] ^= static_cast<uint8_t>(1 << random() % 8);
      if (damage == 8) damaged.erase(damaged.begin() + static_cast<ptrdiff_t>(at));
      if (damage == 9)
        std::generate(damaged.begin(), damaged.end(), [&] { return static_cast<uint8_t>(random()); });
      std::vector<int16_t> reference, decoded;
      const Status wanted = DecodeField(message, damaged, Simd::kScalar, reference);
      if (damage < 4) {
        EXPECT_FALSE(wanted.ok());
      }
      for (const Simd simd : AvailableSimd()) {
        const Status status = DecodeField(message, damaged, simd, decoded);
        ASSERT_EQ(status.ToString(), wanted.ToString()) << SimdName(simd);
        if (status.ok()) {
          ASSERT_EQ(decoded, reference) << SimdName(simd);
        }
      }
    }
  }
}

// The kernel itself, since scalar code does whatever it leaves: from random states, against one symbol after
// another.
TEST(RansPositions, AreDecodedByTheKernelAsFarAsItCan) {
  std::mt19937 random(55);
  for (const Simd simd : AvailableSimd()) {
    const rans::Kernels* const kernels = rans::SelectKernels(simd);
    if (kernels == nullptr || kernels->decode_context == nullptr) continue;
    for (const size_t lanes : {size_t{32}, size_t{128}}) {
      for (int trial = 0; trial < 40; ++trial) {
        const size_t channels = 8 + random() % 70, positions = 9, count = positions * channels - trial % 5;
        std::vector<CdfTable> tables;
        for (int t = 0; t < 30; ++t)
          tables.push_back(RandomTable(random, 1 + static_cast<int>(random() % 40), false, 12));
        CdfTableSet set = CdfTableSet::Create(std::move(tables), 12).value();
        set.AddGatherTables();
        std::vector<uint8_t> of_cells(channels * kContextCells + ContextTables::kPadding), words;
        for (uint8_t& table : of_cells) table = static_cast<uint8_t>(random() % 30);
        for (size_t i = 0; i < 2 * count + 32; ++i) words.push_back(static_cast<uint8_t>(random()));
        std::vector<uint32_t> states(lanes), wanted_states;
        for (uint32_t& state : states) state = std::max<uint32_t>(static_cast<uint32_t>(random()), 1 << 16);
        wanted_states = states;
        const size_t first_lane = random() % lanes;

        Rows rows(positions, channels), wanted_rows(positions, channels);
        rans::UnreadWords unread{words.data(), words.data() + words.size(), nullptr, nullptr};
        std::vector<int16_t> wanted(count), symbols(count);
        std::vector<uint16_t> cells(rows.stride);
        ContextNear near = wanted_rows.Near(0);
        for (size_t i = 0; i < count; ++i) {
          const size_t c = i % channels;
          if (c == 0 && i > 0) near.Move(1, channels);
          ContextCellsAt(near, channels, kContextWeights, cells.data());
          const uint8_t table = of_cells[c * kContextCells + cells[c]];
          ASSERT_TRUE(
              rans::DecodeSymbol(set.View(table), 12, wanted_states[(first_lane + i) % lanes], unread, wanted[i]));
          near.row[c] = std::clamp<int16_t>(wanted[i], -kMaxNeighbour, kMaxNeighbour);
        }

        const rans::GatherTables gather = set.gather();
        const ContextNear start = rows.Near(0);
        rans::ContextDecodeJob job{&gather,
                                   12,
                                   kContextWeights.data(),
                                   of_cells.data(),
                                   channels,
                                   rows.stride,
                                   start.row,
                                   start.above,
                                   0,
                                   states.data(),
                                   lanes,
                                   first_lane,
                                   words.data(),
                                   words.data() + words.size(),
                                   symbols.data(),
                                   count};
        ASSERT_EQ(kernels->decode_context(job), count) << SimdName(simd);
        EXPECT_EQ(symbols, wanted);
        EXPECT_EQ(states, wanted_states);
        EXPECT_EQ(rows.values, wanted_rows.values);
        EXPECT_EQ(job.next, unread.next);
        EXPECT_EQ(job.channel, count % channels);
        EXPECT_EQ(job.row, start.row + count / channels * rows.stride);
      }
    }
  }
}

}  // namespace
}  // namespace strait
