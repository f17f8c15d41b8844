#include "codec/entropy_model.h"

#include <algorithm>

#include "codec/model_format.h"
#include "codec/quantizer.h"

namespace strait {
namespace {

int16_t Clamped(int16_t symbol) { return std::clamp<int16_t>(symbol, -kMaxNeighbour, kMaxNeighbour); }

// A latent as contexts see it: tokens are one row.
struct Grid {
  size_t samples, height, width;
  size_t sample_size, channel_stride, position_stride;  // in memory

  explicit Grid(const Shape& shape) {
    const auto size = [&](size_t axis) { return static_cast<size_t>(shape[axis]); };
    const bool tokens = shape.size() == 3;
    samples = size(0);
    height = tokens ? 1 : size(2);
    width = tokens ? size(1) : size(3);
    sample_size = static_cast<size_t>(NumElements(WithoutBatch(shape)));
    channel_stride = InnerSize(shape);
    position_stride = tokens ? size(2) : 1;
  }
  size_t positions() const { return height * width; }
};

// Channels are looked at in blocks, so that loops over them become vectors of whole registers.
constexpr size_t kBlock = 16;
constexpr size_t InBlocks(size_t channels) { return (channels + kBlock - 1) / kBlock * kBlock; }

// The symbols around a position that contexts look at, clamped, of all channels: those of its row, where the
// position's own go, and those of the row above. One position to the left of a pointer is that to the left.
struct Near {
  int16_t* row;
  const int16_t* above;
};

// Walks over the positions of all samples in coding order: visit(symbol 0 of the position in memory, near), where
// the visit leaves its `channels` symbols in near.row[0], near.row[1] ... once it has read their neighbours.
template <typename Visit>
Status ForEachPosition(const Grid& grid, size_t channels, std::vector<int16_t>& rows, const Visit& visit) {
  const size_t position = InBlocks(channels), row = (grid.width + 2) * position;
  for (size_t n = 0; n < grid.samples; ++n) {
    rows.assign(2 * row, 0);  // two rows in turn, each between two positions of zeros
    for (size_t y = 0; y < grid.height; ++y) {
      Near near{rows.data() + y % 2 * row + position, rows.data() + (1 - y % 2) * row + position};
      for (size_t x = 0; x < grid.width; ++x, near.row += position, near.above += position) {
        STRAIT_RETURN_IF_ERROR(visit(n * grid.sample_size + (y * grid.width + x) * grid.position_stride, near));
      }
    }
  }
  return Status();
}

// Cells of a position's symbols, and rubbish up to the end of the last block.
void CellsAt(const Near& near, size_t channels, const ContextWeights& weights, uint16_t* cells) {
  const size_t position = InBlocks(channels);
  const int16_t* const neighbours[] = {near.row - position, near.above, near.above - position,
                                       near.above + position};
  constexpr int16_t kMost = kContextSide - 1;
  for (size_t block = 0; block < position; block += kBlock) {
    int16_t above[kBlock] = {}, below[kBlock] = {};  // sums of the terms of either sign
    for (int k = 0; k < kNumNeighbours; ++k) {
      const int16_t* const neighbour = neighbours[k] + block;
      const auto weight = static_cast<int16_t>(weights[k]);
      for (size_t i = 0; i < kBlock; ++i) {
        const auto term = static_cast<int16_t>(weight * neighbour[i]);
        above[i] = static_cast<int16_t>(above[i] + (term > 0 ? term : 0));
        below[i] = static_cast<int16_t>(below[i] - (term < 0 ? term : 0));
      }
    }
    for (size_t i = 0; i < kBlock; ++i) {
      const int16_t high = above[i] < kMost ? above[i] : kMost, low = below[i] < kMost ? below[i] : kMost;
      cells[block + i] = static_cast<uint16_t>(high * kContextSide + low);
    }
  }
}

}  // namespace

std::vector<uint8_t> ContextCells(std::span<const int16_t> symbols, const Shape& latent_shape,
                                  const ContextWeights& weights) {
  const Grid grid(latent_shape);
  const size_t channels = grid.sample_size / grid.positions();
  std::vector<uint8_t> dst(symbols.size());
  std::vector<uint16_t> cells(InBlocks(channels));
  std::vector<int16_t> buffer;
  const auto visit = [&](size_t first, const Near& near) {
    CellsAt(near, channels, weights, cells.data());
    for (size_t c = 0; c < channels; ++c) {
      dst[first + c * grid.channel_stride] = static_cast<uint8_t>(cells[c]);
      near.row[c] = Clamped(symbols[first + c * grid.channel_stride]);
    }
    return Status();
  };
  (void)ForEachPosition(grid, channels, buffer, visit);  // this visit never fails
  return dst;
}

Result<EntropyModel> EntropyModel::Create(ModelSpec& spec) {
  EntropyModel model;
  STRAIT_ASSIGN_OR_RETURN(model.tables_, CdfTableSet::Create(std::move(spec.tables), spec.precision));
  spec.tables.clear();
  model.sets_per_level_ = spec.sets_per_level;
  model.channels_ = static_cast<size_t>(spec.latent_channels());
  const size_t num_sets = NumTableSets(spec.levels.size(), spec.sets_per_level);
  model.channel_tables_.resize(num_sets * model.channels_);
  model.cell_tables_ = std::move(spec.context.tables);
  spec.context.tables.clear();
  for (size_t i = 0; i < model.channel_tables_.size(); ++i) {
    model.channel_tables_[i] =
        static_cast<uint32_t>(model.has_context() ? model.cell_tables_[i * kContextCells] : i);
  }
  if (!model.has_context()) return model;
  model.weights_ = spec.context.weights;
  for (size_t set = 0; set < num_sets; ++set) {
    std::vector<uint16_t>& coded = model.coded_channels_.emplace_back();
    for (size_t c = 0; c < model.channels_; ++c) {
      if (!model.tables_.View(model.channel_tables_[set * model.channels_ + c]).is_certain)
        coded.push_back(static_cast<uint16_t>(c));
    }
  }
  return model;
}

std::span<const uint32_t> EntropyModel::ChannelTables(int quality_code) const {
  return std::span(channel_tables_).subspan(SetOf(quality_code) * channels_, channels_);
}

SymbolLayout EntropyModel::LayoutOf(const Shape& latent_shape, int quality_code) const {
  return {SetOf(quality_code) * channels_, channels_, InnerSize(latent_shape)};
}

void EntropyModel::ChooseTables(std::span<const uint16_t> channels, size_t set, uint16_t* cells_to_tables) const {
  const uint8_t* const of_set = cell_tables_.data() + set * channels_ * kContextCells;
  for (size_t i = 0; i < channels.size(); ++i) {
    cells_to_tables[i] = of_set[channels[i] * size_t{kContextCells} + cells_to_tables[i]];
  }
}

void EntropyModel::FillCertain(const Shape& latent_shape, size_t set, std::span<int16_t> symbols) const {
  const Grid grid(latent_shape);
  for (size_t c = 0; c < channels_; ++c) {
    const CdfTableSet::TableView& table = tables_.View(channel_tables_[set * channels_ + c]);
    if (!table.is_certain) continue;
    for (size_t n = 0; n < grid.samples; ++n) {
      int16_t* const dst = symbols.data() + n * grid.sample_size + c * grid.channel_stride;
      for (size_t p = 0; p < grid.positions(); ++p)
        dst[p * grid.position_stride] = static_cast<int16_t>(table.min_symbol);
    }
  }
}

TableIndices EntropyModel::Arrange(std::span<const int16_t> symbols, const Shape& latent_shape, size_t set,
                                   SymbolBuffers& buffers) const {
  const Grid grid(latent_shape);
  const std::span<const uint16_t> channels = coded_channels_[set];
  const size_t count = grid.samples * grid.positions() * channels.size();
  buffers.symbols.resize(count);
  buffers.tables.resize(count + kBlock);
  int16_t* dst = buffers.symbols.data();
  uint16_t* tables = buffers.tables.data();
  const auto visit = [&](size_t first, const Near& near) {
    CellsAt(near, channels.size(), weights_, tables);
    ChooseTables(channels, set, tables);
    for (size_t i = 0; i < channels.size(); ++i) {
      dst[i] = symbols[first + channels[i] * grid.channel_stride];
      near.row[i] = Clamped(dst[i]);
    }
    dst += channels.size();
    tables += channels.size();
    return Status();
  };
  (void)ForEachPosition(grid, channels.size(), buffers.near, visit);  // this visit never fails
  return {std::span(buffers.tables).first(count), 0};
}

Status EntropyModel::Encode(std::span<const int16_t> symbols, const Shape& latent_shape, int quality_code,
                            SymbolBuffers& buffers) const {
  if (symbols.size() > buffers.reserved_symbols) {
    buffers.encoder.Reserve(PayloadBound(symbols.size()));
    buffers.reserved_symbols = symbols.size();
  }
  if (!has_context()) return buffers.encoder.Encode(symbols, LayoutOf(latent_shape, quality_code), tables_);
  const TableIndices indices = Arrange(symbols, latent_shape, SetOf(quality_code), buffers);
  return buffers.encoder.Encode<int16_t>(buffers.symbols, indices, tables_);
}

double EntropyModel::EstimateBytes(std::span<const int16_t> symbols, const Shape& latent_shape, int quality_code,
                                   SymbolBuffers& buffers) const {
  const TableIndices indices = Arrange(symbols, latent_shape, SetOf(quality_code), buffers);
  return RansPayloadEstimate(RansCostBits<int16_t>(buffers.symbols, indices, tables_), buffers.symbols.size());
}

Status EntropyModel::Decode(std::span<const uint8_t> payload, const Shape& latent_shape, int quality_code,
                            SymbolBuffers& buffers, std::span<int16_t> symbols) const {
  if (!has_context()) return RansDecode(payload, LayoutOf(latent_shape, quality_code), tables_, symbols);
  const Grid grid(latent_shape);
  const size_t set = SetOf(quality_code);
  const std::span<const uint16_t> channels = coded_channels_[set];
  FillCertain(latent_shape, set, symbols);
  buffers.symbols.resize(channels.size());
  buffers.tables.resize(InBlocks(channels.size()));
  STRAIT_RETURN_IF_ERROR(
      buffers.decoder.Start(payload, grid.samples * grid.positions() * channels.size(), tables_));
  const auto visit = [&](size_t first, const Near& near) -> Status {
    CellsAt(near, channels.size(), weights_, buffers.tables.data());
    ChooseTables(channels, set, buffers.tables.data());
    const TableIndices indices{std::span(buffers.tables).first(channels.size()), 0};
    STRAIT_RETURN_IF_ERROR(buffers.decoder.Next<int16_t>(indices, buffers.symbols));
    for (size_t i = 0; i < channels.size(); ++i) {
      symbols[first + channels[i] * grid.channel_stride] = buffers.symbols[i];
      near.row[i] = Clamped(buffers.symbols[i]);
    }
    return Status();
  };
  if (!channels.empty()) STRAIT_RETURN_IF_ERROR(ForEachPosition(grid, channels.size(), buffers.near, visit));
  return buffers.decoder.Finish();
}

}  // namespace strait
