// Symbols whose tables their neighbours choose: cells by a second reading of docs/format.md, and payloads that
// every instruction set decodes position by position as the scalar code does from indices.
#include "entropy/context.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "entropy/rans.h"
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
  const int precision = 9 + static_cast<int>(random() % 7);
  std::vector<CdfTable> tables;
  for (int t = 0; t < 40; ++t) {
    tables.push_back(
        RandomTable(random, 1 + static_cast<int>(random() % static_cast<unsigned>(widest_table)), true, precision));
  }
  message.tables = CdfTableSet::Create(std::move(tables), precision).value();
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
      const ContextTables context{message.weights, c.channels, message.of_cells};
      for (const Simd simd : AvailableSimd()) {
        RansDecoder decoder;
        ASSERT_TRUE(decoder.Start(payload, field.symbols.size(), message.tables, simd).ok());
        Rows rows(c.width, c.channels);
        std::vector<int16_t> decoded(field.symbols.size());
        std::span<int16_t> left = decoded;
        for (size_t y = 0; y < c.height; ++y) {
          ContextNear near = rows.Near(y);
          // In two steps: all positions of a row but the first.
          for (const size_t positions : {size_t{1}, c.width - 1}) {
            const Status status = decoder.NextPositions(context, near, left.first(positions * c.channels));
            ASSERT_TRUE(status.ok()) << SimdName(simd) << ": " << status.ToString();
            near.Move(positions, c.channels);
            left = left.subspan(positions * c.channels);
          }
        }
        ASSERT_TRUE(decoder.Finish().ok()) << SimdName(simd);
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
  }
}

TEST(RansPositions, RefusePayloadsThatAreCutShort) {
  std::mt19937 random(54);
  const Message message = RandomMessage(random, 16, 16, 64, 30, 100);
  std::vector<uint8_t> payload;
  ASSERT_TRUE(
      RansEncode<int16_t>(message.field.symbols, TableIndices{message.index, 0}, message.tables, payload).ok());
  const ContextTables context{message.weights, 64, message.of_cells};
  for (const Simd simd : AvailableSimd()) {
    int accepted = 0;
    for (int trial = 0; trial < 200; ++trial) {
      const std::vector<uint8_t> cut(payload.begin(), payload.begin() + random() % payload.size());
      Rows rows(16, 64);
      std::vector<int16_t> decoded(16 * 64);
      RansDecoder decoder;
      Status status = decoder.Start(cut, message.field.symbols.size(), message.tables, simd);
      for (size_t y = 0; y < 16 && status.ok(); ++y) status = decoder.NextPositions(context, rows.Near(y), decoded);
      if (status.ok()) status = decoder.Finish();
      accepted += status.ok() ? 1 : 0;
    }
    EXPECT_EQ(accepted, 0) << SimdName(simd);
  }
}

}  // namespace
}  // namespace strait
