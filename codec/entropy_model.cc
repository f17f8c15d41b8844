#include "codec/entropy_model.h"

#include <algorithm>

#include "codec/model_format.h"
#include "codec/quantizer.h"

namespace strait {
namespace {

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

// Walks over the rows of all samples in coding order: visit(where the row begins in memory, near its first
// position).
template <typename Visit>
Status ForEachRow(const Grid& grid, size_t channels, std::vector<int16_t>& rows, const Visit& visit) {
  const size_t position = InContextBlocks(channels), row = (grid.width + 2) * position;
  for (size_t n = 0; n < grid.samples; ++n) {
    rows.assign(2 * row, 0);  // two rows in turn, each between two positions of zeros
    for (size_t y = 0; y < grid.height; ++y) {
      const ContextNear near{rows.data() + y % 2 * row + position, rows.data() + (1 - y % 2) * row + position};
      STRAIT_RETURN_IF_ERROR(visit(n * grid.sample_size + y * grid.width * grid.position_stride, near));
    }
  }
  return Status();
}

}  // namespace

std::vector<uint8_t> ContextCells(std::span<const int16_t> symbols, const Shape& latent_shape,
                                  const ContextWeights& weights) {
  const Grid grid(latent_shape);
  const size_t channels = grid.sample_size / grid.positions();
  std::vector<uint8_t> dst(symbols.size());
  std::vector<uint16_t> cells(InContextBlocks(channels));
  std::vector<int16_t> buffer, at_position(channels);
  const auto visit = [&](size_t first, ContextNear near) {
    for (size_t x = 0; x < grid.width; ++x, first += grid.position_stride, near.Move(1, channels)) {
      ContextCellsAt(near, channels, weights, cells.data());
      for (size_t c = 0; c < channels; ++c) {
        dst[first + c * grid.channel_stride] = static_cast<uint8_t>(cells[c]);
        at_position[c] = symbols[first + c * grid.channel_stride];
      }
      near.Leave(at_position);
    }
    return Status();
  };
  (void)ForEachRow(grid, channels, buffer, visit);  // this visit never fails
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
  const std::vector<uint8_t> cell_tables = std::move(spec.context.tables);
  spec.context.tables.clear();
  for (size_t i = 0; i < model.channel_tables_.size(); ++i) {
    model.channel_tables_[i] = static_cast<uint32_t>(cell_tables.empty() ? i : cell_tables[i * kContextCells]);
  }
  if (cell_tables.empty()) return model;
  model.tables_.AddGatherTables();
  model.weights_ = spec.context.weights;
  for (size_t set = 0; set < num_sets; ++set) {
    CodedChannels& coded = model.coded_.emplace_back();
    for (size_t c = 0; c < model.channels_; ++c) {
      const size_t channel = set * model.channels_ + c;
      if (model.tables_.View(model.channel_tables_[channel]).is_certain) continue;
      coded.channels.push_back(static_cast<uint16_t>(c));
      const auto cells = cell_tables.begin() + static_cast<ptrdiff_t>(channel * kContextCells);
      coded.cell_tables.insert(coded.cell_tables.end(), cells, cells + kContextCells);
    }
    coded.cell_tables.resize(coded.cell_tables.size() + ContextTables::kPadding);
  }
  return model;
}

std::span<const uint32_t> EntropyModel::ChannelTables(int quality_code) const {
  return std::span(channel_tables_).subspan(SetOf(quality_code) * channels_, channels_);
}

SymbolLayout EntropyModel::LayoutOf(const Shape& latent_shape, int quality_code) const {
  return {SetOf(quality_code) * channels_, channels_, InnerSize(latent_shape)};
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
  const std::span<const uint16_t> channels = coded_[set].channels;
  const std::span<const uint8_t> cell_tables = coded_[set].cell_tables;
  const size_t count = grid.samples * grid.positions() * channels.size();
  buffers.symbols.resize(count);
  buffers.tables.resize(count + kContextBlock);
  int16_t* dst = buffers.symbols.data();
  uint16_t* tables = buffers.tables.data();
  const auto visit = [&](size_t first, ContextNear near) {
    for (size_t i = 0; i < channels.size(); ++i) {
      const int16_t* const channel = symbols.data() + first + channels[i] * grid.channel_stride;
      for (size_t x = 0; x < grid.width; ++x) dst[x * channels.size() + i] = channel[x * grid.position_stride];
    }
    for (size_t x = 0; x < grid.width; ++x, near.Move(1, channels.size())) {
      ContextCellsAt(near, channels.size(), weights_, tables);
      for (size_t i = 0; i < channels.size(); ++i) tables[i] = cell_tables[i * kContextCells + tables[i]];
      near.Leave({dst, channels.size()});
      dst += channels.size();
      tables += channels.size();
    }
    return Status();
  };
  (void)ForEachRow(grid, channels.size(), buffers.near, visit);  // this visit never fails
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
  const std::span<const uint16_t> channels = coded_[set].channels;
  FillCertain(latent_shape, set, symbols);
  buffers.symbols.resize(grid.width * channels.size());  // of a row, position by position
  STRAIT_RETURN_IF_ERROR(
      buffers.decoder.Start(payload, grid.samples * grid.positions() * channels.size(), tables_));
  const ContextTables context{weights_, channels.size(), coded_[set].cell_tables};
  const auto visit = [&](size_t first, const ContextNear& near) -> Status {
    STRAIT_RETURN_IF_ERROR(buffers.decoder.NextPositions(context, near, buffers.symbols));
    for (size_t i = 0; i < channels.size(); ++i) {
      int16_t* const channel = symbols.data() + first + channels[i] * grid.channel_stride;
      for (size_t x = 0; x < grid.width; ++x)
        channel[x * grid.position_stride] = buffers.symbols[x * channels.size() + i];
    }
    return Status();
  };
  if (!channels.empty()) STRAIT_RETURN_IF_ERROR(ForEachRow(grid, channels.size(), buffers.near, visit));
  return buffers.decoder.Finish();
}

}  // namespace strait
