// rANS over integer CDF tables: docs/format.md, payload. Symbols are int8, int16 or int32, as the tables'
// symbol_bits say. Which table codes which symbol is known to both sides: a table per channel (SymbolLayout), per
// symbol (an index array) or by neighbours (entropy/context.h). Simd chooses how a payload is computed, never its
// bytes. Thread-safe: no state is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "entropy/cdf_table.h"
#include "entropy/context.h"
#include "entropy/simd.h"
#include "strait/result.h"

namespace strait {

// A table per channel: symbol i uses table first_table + (i / inner) % channels.
struct SymbolLayout {
  size_t first_table = 0;  // of the level in use
  size_t channels = 1;
  size_t inner = 1;  // consecutive symbols of one channel: H * W for feature maps, 1 for tokens
  size_t TableOf(size_t i) const { return first_table + (i / inner) % channels; }
};

// A table per symbol, as conditional models choose them: symbol i uses table first_table + index[i].
struct TableIndices {
  std::span<const uint16_t> index;  // one a symbol
  size_t first_table = 0;
};

struct RansOptions {
  Simd simd = DefaultSimd();  // one that is not available is kScalar
  // 1, 4, 32 or 128 interleaved states at most; 0 is the encoder's choice. A payload of 1,024 symbols takes half a
  // byte less with one lane and half of the time with four; longer ones gain nothing from fewer lanes than 0 gives.
  size_t max_lanes = 0;
};

// Appends the payload of `symbols` to `dst`, which an error leaves as it was. Symbols that a table without escape
// cannot code are an error (kInvalidArgument): clamp them first (CdfTableSet::Clamp).
template <typename Symbol>
Status RansEncode(std::span<const Symbol> symbols, const SymbolLayout& layout, const CdfTableSet& tables,
                  std::vector<uint8_t>& dst, const RansOptions& options = {});
template <typename Symbol>
Status RansEncode(std::span<const Symbol> symbols, const TableIndices& indices, const CdfTableSet& tables,
                  std::vector<uint8_t>& dst, const RansOptions& options = {});

// Bytes of the payload of `count` symbols that cost this much, before they are rounded up. The payload is at most
// RansEstimateError smaller; it may be larger, by the rounding of every step, for precisions above 12 bits most of
// all.
double RansPayloadEstimate(double cost_bits, size_t count);
double RansEstimateError(size_t count);

// What no payload of `count` symbols passes, whatever they are.
size_t RansPayloadBound(size_t count, const CdfTableSet& tables);

// RansEncode in buffers that are kept from payload to payload. Not thread-safe.
class RansEncoder {
 public:
  RansEncoder();
  RansEncoder(RansEncoder&&) noexcept;
  RansEncoder& operator=(RansEncoder&&) noexcept;
  ~RansEncoder();

  // Makes room: payloads of at most this size then allocate nothing. Drops the payload.
  void Reserve(size_t payload_bytes);

  // Encodes a payload, held until the next call. Errors: as RansEncode; the payload is garbage after one.
  template <typename Symbol>
  Status Encode(std::span<const Symbol> symbols, const SymbolLayout& layout, const CdfTableSet& tables,
                const RansOptions& options = {});
  template <typename Symbol>
  Status Encode(std::span<const Symbol> symbols, const TableIndices& indices, const CdfTableSet& tables,
                const RansOptions& options = {});

  size_t payload_bytes() const;
  // Writes payload_bytes() bytes.
  void WritePayload(uint8_t* dst) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Decodes exactly symbols.size() symbols from exactly `payload`: bytes left over, bytes missing and a wrong
// final state are errors (kTruncated, kCorrupt). `symbols` is garbage after an error.
template <typename Symbol>
Status RansDecode(std::span<const uint8_t> payload, const SymbolLayout& layout, const CdfTableSet& tables,
                  std::span<Symbol> symbols, Simd simd = DefaultSimd());
template <typename Symbol>
Status RansDecode(std::span<const uint8_t> payload, const TableIndices& indices, const CdfTableSet& tables,
                  std::span<Symbol> symbols, Simd simd = DefaultSimd());

// Exact cost in bits of `symbols` under the tables, without coding them: a payload is at most a few bytes longer.
// Infinite when a table cannot code its symbol or there is no such table.
template <typename Symbol>
double RansCostBits(std::span<const Symbol> symbols, const SymbolLayout& layout, const CdfTableSet& tables);
template <typename Symbol>
double RansCostBits(std::span<const Symbol> symbols, const TableIndices& indices, const CdfTableSet& tables);

// Decodes a payload in steps, for models that compute the tables of the next symbols from those already decoded.
// Borrows payload and tables. Not thread-safe.
class RansDecoder {
 public:
  RansDecoder();

  // Begins a payload of `count` symbols, in buffers that are kept from payload to payload; whatever was begun
  // before is dropped. Must come first.
  Status Start(std::span<const uint8_t> payload, size_t count, const CdfTableSet& tables,
               Simd simd = DefaultSimd());

  RansDecoder(RansDecoder&&) noexcept;
  RansDecoder& operator=(RansDecoder&&) noexcept;
  ~RansDecoder();

  // Decodes the next symbols.size() symbols; after an error the decoder is of no further use. Errors:
  // kInvalidArgument when the indices are not as many or name no table, or when fewer symbols are left; kCorrupt.
  template <typename Symbol>
  Status Next(const TableIndices& indices, std::span<Symbol> symbols);

  // Decodes the symbols of as many whole positions of a row, whose tables `context` chooses from what is near the
  // first one, where they are left for those that come after. Quicker with CdfTableSet::AddGatherTables. Errors: as
  // Next.
  Status NextPositions(const ContextTables& context, ContextNear near, std::span<int16_t> symbols);

  // After the last symbol: checks that the payload ended where its encoder began. kTruncated, kCorrupt.
  Status Finish() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace strait
