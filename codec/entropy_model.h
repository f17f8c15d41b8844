// How the symbols of a latent are coded at a quality: by one CDF table a channel or, with context, by one of
// several that the neighbours decoded before choose (docs/format.md, context). Shapes of latents are {N, C, H, W}
// or {N, T, C}. Immutable and thread-safe; coders keep their buffers in a SymbolBuffers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/model_spec.h"
#include "entropy/cdf_table.h"
#include "entropy/rans.h"

namespace strait {

// Table set nearest to a quality; integers only, since it decides what a decoder reads.
inline size_t TableSetOf(int quality_code, int sets_per_level) {
  return (static_cast<size_t>(quality_code) * static_cast<size_t>(sets_per_level) + kQualitySteps / 2) /
         kQualitySteps;
}

// The cell of every symbol of a latent, in memory order, as a context model computes them when all channels are
// coded.
std::vector<uint8_t> ContextCells(std::span<const int16_t> symbols, const Shape& latent_shape,
                                  const ContextWeights& weights);

struct SymbolBuffers {
  RansEncoder encoder;
  RansDecoder decoder;
  // Of coded channels, position by position:
  std::vector<int16_t> symbols;
  std::vector<uint16_t> tables;  // of each, and room for cells behind
  std::vector<int16_t> near;     // symbols of two rows, clamped: what contexts are made of
  size_t reserved_symbols = 0;   // for which the encoder has room
};

class EntropyModel {
 public:
  EntropyModel() = default;
  // Takes the tables out of `spec`, which must be valid.
  static Result<EntropyModel> Create(ModelSpec& spec);

  const CdfTableSet& tables() const { return tables_; }
  bool has_context() const { return !coded_.empty(); }

  // For each channel at a quality a table that says which symbols can be coded: with context all of a channel
  // agree.
  std::span<const uint32_t> ChannelTables(int quality_code) const;

  // What no payload of a latent of so many values passes, whatever they are.
  size_t PayloadBound(size_t latent_values) const { return RansPayloadBound(latent_values, tables_); }

  // Leaves the payload in buffers.encoder.
  Status Encode(std::span<const int16_t> symbols, const Shape& latent_shape, int quality_code,
                SymbolBuffers& buffers) const;

  // With context: bytes of that payload before they are rounded up, cheaper than making it; see
  // RansPayloadEstimate.
  double EstimateBytes(std::span<const int16_t> symbols, const Shape& latent_shape, int quality_code,
                       SymbolBuffers& buffers) const;

  // Errors: as RansDecode. `symbols` is garbage after one.
  Status Decode(std::span<const uint8_t> payload, const Shape& latent_shape, int quality_code,
                SymbolBuffers& buffers, std::span<int16_t> symbols) const;

 private:
  size_t SetOf(int quality_code) const { return TableSetOf(quality_code, sets_per_level_); }
  SymbolLayout LayoutOf(const Shape& latent_shape, int quality_code) const;
  void FillCertain(const Shape& latent_shape, size_t set, std::span<int16_t> symbols) const;
  // With context: fills buffers.symbols and returns their tables.
  TableIndices Arrange(std::span<const int16_t> symbols, const Shape& latent_shape, size_t set,
                       SymbolBuffers& buffers) const;

  CdfTableSet tables_;
  int sets_per_level_ = 1;
  size_t channels_ = 0;
  std::vector<uint32_t> channel_tables_;  // {sets, C}
  // With context:
  ContextWeights weights_ = {};
  struct CodedChannels {  // those that are not certain
    std::vector<uint16_t> channels;
    std::vector<uint8_t> cell_tables;  // {coded channels, kContextCells}, and a padding
  };
  std::vector<CodedChannels> coded_;  // of each set
};

}  // namespace strait
