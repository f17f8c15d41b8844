#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "entropy/error.h"
#include "entropy/rans.h"
#include "entropy/rans_kernels.h"
#include "entropy/rans_lanes.h"
#include "entropy/rans_scalar.h"
#include "entropy/select_kernels.h"
#include "entropy/table_walk.h"

namespace strait {
namespace rans {
namespace {

constexpr size_t kStagedSymbols = 1024;

// Where a kernel writes words and what it adds to entries; Unstage turns them into symbols.
template <typename Symbol>
void Unstage(const uint16_t* entries, size_t count, int32_t min_symbol, Symbol* symbols) {
  for (size_t i = 0; i < count; ++i) symbols[i] = static_cast<Symbol>(min_symbol + entries[i]);
}

// As DecodeScalar for a stretch of one table, groups of 16 by the kernel.
template <typename Symbol>
Status DecodeWide(Symbol* dst, size_t begin, size_t end, size_t table_index, const CdfTableSet::TableView& table,
                  const CdfTableSet& tables, size_t lanes, const Kernels& kernels, Stream& stream) {
  constexpr bool kInPlace = sizeof(Symbol) == sizeof(uint16_t);
  OneTableWalk walk{table_index};
  const auto scalar_up_to = [&](size_t stop) -> Status {
    Symbol* const to = dst;
    dst += stop - begin;
    return DecodeScalar<false>(to, begin, stop, walk, tables, lanes, stream, begin);
  };
  if (begin % kGroup != 0) {
    STRAIT_RETURN_IF_ERROR(scalar_up_to(std::min(end, (begin + kGroup - 1) / kGroup * kGroup)));
  }
  uint16_t buffer[kInPlace ? 1 : kStagedSymbols];
  while (end - begin >= kGroup) {
    const size_t most = (end - begin) / kGroup * kGroup;
    const size_t count = kInPlace ? most : std::min(most, kStagedSymbols);
    const auto min_symbol = static_cast<uint16_t>(kInPlace ? table.min_symbol : 0);
    uint16_t* const words = kInPlace ? reinterpret_cast<uint16_t*>(dst) : buffer;
    DecodeJob job{&table.kernel,
                  tables.precision(),
                  min_symbol,
                  stream.states.data(),
                  lanes,
                  begin % lanes,
                  stream.words.next,
                  stream.words.end,
                  words,
                  count};
    const size_t done = kernels.decode(job);
    stream.words.next = job.next;
    if constexpr (!kInPlace) Unstage(buffer, done, table.min_symbol, dst);
    begin += done;
    dst += done;
    if (done < count) STRAIT_RETURN_IF_ERROR(scalar_up_to(begin + kGroup));  // an escape, or few words are left
  }
  return begin == end ? Status() : scalar_up_to(end);
}

// The little-endian number of a lane's state, which never is below its start, in the fewest bytes.
Result<uint32_t> ReadState(std::span<const uint8_t> bytes) {
  uint32_t state = 0;
  for (size_t i = 0; i < bytes.size(); ++i) state |= uint32_t{bytes[i]} << (8 * i);
  if (bytes.back() == 0) {
    return Error(StatusCode::kCorrupt, "rans: state of ", bytes.size(), " bytes ends in a zero byte");
  }
  if (state < kStartState) {
    return Error(StatusCode::kCorrupt, "rans: state ", state, " is below ", kStartState);
  }
  return state;
}

// A payload of one lane is the general case with empty other phases.
struct PayloadDecoder {
  const CdfTableSet& tables;
  const Kernels* kernels;
  size_t count;
  size_t payload_bytes;
  size_t position = 0;
  size_t rung = 0;
  Phases phases;
  Stream stream;
  RetiredWords retired{stream.words};

  PayloadDecoder(const CdfTableSet& set, Simd simd, size_t symbols, size_t bytes)
      : tables(set), kernels(SelectKernels(simd)), count(symbols), payload_bytes(bytes) {}

  // The first lane's state, the phases and the other lanes.
  Status Open(std::span<const uint8_t> payload) {
    phases.end[0] = count;
    stream.states[0] = kStartState;
    stream.is_sparse = payload.size() < count / kSparseSymbolsPerByte;
    if (payload.empty()) return Status();

    // A payload of up to 4 bytes is all state; a longer one has words, hence a state of 3 or 4 bytes, and its
    // parity tells which.
    const size_t state_bytes = payload.size() <= 4 ? payload.size() : 4 - payload.size() % 2;
    STRAIT_ASSIGN_OR_RETURN(stream.states[0], ReadState(payload.first(state_bytes)));
    stream.words.next = payload.data() + state_bytes;
    stream.words.end = payload.data() + payload.size();
    STRAIT_RETURN_IF_ERROR(TakePhases(TopRung(count)));
    if (stream.words.next == stream.words.end && stream.states[0] == kStartState) {
      return Error(StatusCode::kCorrupt, "rans: ", payload.size(),
                   " bytes that say nothing, want an empty payload");
    }
    for (; phases.end[rung + 1] > 0; ++rung) {
      if (!AddLanes(kLadder[rung].lanes, kLadder[rung + 1].lanes, stream.states, stream.words)) {
        return Error(StatusCode::kTruncated, "rans: payload of ", payload_bytes,
                     " bytes ends before the states of ", kLadder[rung + 1].lanes, " lanes");
      }
    }
    return EndPhases();
  }

  Status TakePhases(size_t top_rung) {
    for (size_t next = 1; next <= top_rung; ++next) {
      const size_t number = TakeNumber(stream.states[0], stream.words);
      if (number == 0) break;
      const size_t units = number - 1, most = phases.end[next - 1] / kPhaseUnit;
      if (units >= most) {
        return Error(StatusCode::kCorrupt, "rans: phase of ", units, " units of ", kPhaseUnit, " symbols, have ",
                     most);
      }
      phases.end[next] = (most - units) * kPhaseUnit;
    }
    return Status();
  }

  // Retires lanes until the phase that position lies in.
  Status EndPhases() {
    for (; rung > 0 && position == phases.end[rung]; --rung) {
      const size_t lanes = kLadder[rung].lanes;
      for (size_t lane = 0; lane < lanes; ++lane) {
        if (stream.states[lane] < kLowState) {
          return Error(StatusCode::kTruncated, "rans: payload of ", payload_bytes, " bytes ends before lane ", lane,
                       " of ", lanes, " is done");
        }
      }
      RetireLanes(lanes, kLadder[rung - 1].lanes, stream.states, retired);
    }
    return Status();
  }

  template <typename Symbol>
  Status CheckSymbols(std::span<Symbol> symbols) const {
    STRAIT_RETURN_IF_ERROR(CheckSymbolBits(8 * sizeof(Symbol), tables));
    if (symbols.size() <= count - position) return Status();
    return Error(StatusCode::kInvalidArgument, "rans: ", symbols.size(), " symbols wanted, ", count - position,
                 " are left");
  }

  template <typename Symbol, typename Walk>
  Status Decode(Walk walk, std::span<Symbol> symbols) {
    STRAIT_RETURN_IF_ERROR(CheckSymbols(symbols));
    Symbol* dst = symbols.data();
    const size_t stop = position + symbols.size();
    while (position < stop) {
      const size_t lanes = kLadder[rung].lanes;
      const size_t phase_end = std::min(stop, phases.end[rung]);
      const Stretch stretch = walk.Peek(phase_end - position);
      if (!HasTable(stretch, tables)) [[unlikely]]
        return NoTableError(stretch, tables);
      const CdfTableSet::TableView& table = tables.View(stretch.table);
      const size_t begin = position;
      if (table.is_certain && stretch.count >= kGroup) {
        std::fill_n(dst, stretch.count, static_cast<Symbol>(table.min_symbol));
        walk.Skip(stretch.count);
        position += stretch.count;
      } else if (lanes >= kLeastKernelLanes && stretch.count >= kGroup && CanTake(kernels, table.kernel)) {
        walk.Skip(stretch.count);
        position += stretch.count;
        STRAIT_RETURN_IF_ERROR(
            DecodeWide(dst, begin, position, stretch.table, table, tables, lanes, *kernels, stream));
      } else {
        STRAIT_RETURN_IF_ERROR(
            lanes == 1 ? DecodeScalar<true>(dst, begin, phase_end, walk, tables, lanes, stream, position)
                       : DecodeScalar<false>(dst, begin, phase_end, walk, tables, lanes, stream, position));
      }
      dst += position - begin;
      if (position == phases.end[rung]) STRAIT_RETURN_IF_ERROR(EndPhases());
    }
    return Status();
  }

  // Symbols of positions of a row; `cells` has room for those of a position and its last block.
  Status DecodePositions(const ContextTables& context, ContextNear near, std::span<int16_t> symbols,
                         uint16_t* cells) {
    STRAIT_RETURN_IF_ERROR(CheckSymbols(symbols));
    int16_t* dst = symbols.data();
    size_t channel = 0;
    const size_t stop = position + symbols.size();
    while (position < stop) {
      const size_t lanes = kLadder[rung].lanes, phase_end = std::min(stop, phases.end[rung]);
      const bool by_kernel = lanes >= kLeastKernelLanes && context.channels >= kLeastKernelChannels &&
                             TakesContext(kernels, tables.gather());
      if (by_kernel) {
        ContextDecodeJob job{&tables.gather(),
                             tables.precision(),
                             context.weights.data(),
                             context.of_cells.data(),
                             context.channels,
                             InContextBlocks(context.channels),
                             near.row,
                             near.above,
                             channel,
                             stream.states.data(),
                             lanes,
                             position % lanes,
                             stream.words.next,
                             stream.words.end,
                             dst,
                             phase_end - position};
        const size_t done = kernels->decode_context(job);
        near = {job.row, job.above};
        channel = job.channel;
        stream.words.next = job.next;
        dst += done;
        position += done;
      }
      // The rest of a position without a kernel; else as much as it may have stopped before.
      const size_t rest = context.channels - channel, most = by_kernel ? std::min(rest, kGroup) : rest;
      if (const size_t end = std::min(phase_end, position + most); position < end) {
        ContextCellsAt(near, context.channels, context.weights, cells);
        CellWalk walk(cells + channel, context.of_cells.data() + channel * kContextCells);
        const size_t n = end - position;
        STRAIT_RETURN_IF_ERROR(
            lanes == 1 ? DecodeScalar<true>(dst, position, end, walk, tables, lanes, stream, position)
                       : DecodeScalar<false>(dst, position, end, walk, tables, lanes, stream, position));
        ContextNear{near.row + channel, nullptr}.Leave({dst, n});
        dst += n;
        channel += n;
        if (channel == context.channels) {
          channel = 0;
          near.Move(1, context.channels);
        }
      }
      if (position == phases.end[rung]) STRAIT_RETURN_IF_ERROR(EndPhases());
    }
    return Status();
  }

  Status Finish() const {
    if (position != count) {
      return Error(StatusCode::kInvalidArgument, "rans: ", count - position, " of ", count,
                   " symbols are not decoded yet");
    }
    if (stream.words.bytes() > 0) {
      return Error(StatusCode::kCorrupt, "rans: ", stream.words.bytes(), " bytes left over after ", count,
                   " symbols");
    }
    if (stream.states[0] < kStartState) {
      return Error(StatusCode::kTruncated, "rans: payload of ", payload_bytes, " bytes ends before its symbols do");
    }
    if (stream.states[0] > kStartState) {
      return Error(StatusCode::kCorrupt, "rans: payload ends in state ", stream.states[0], ", want ", kStartState);
    }
    return Status();
  }
};

template <typename Symbol, typename Tables>
Status DecodeAll(std::span<const uint8_t> payload, const Tables& which, auto walk, const CdfTableSet& tables,
                 std::span<Symbol> symbols, Simd simd) {
  STRAIT_RETURN_IF_ERROR(CheckTables(which, symbols.size(), tables));
  PayloadDecoder decoder(tables, simd, symbols.size(), payload.size());
  STRAIT_RETURN_IF_ERROR(decoder.Open(payload));
  STRAIT_RETURN_IF_ERROR(decoder.Decode(walk, symbols));
  return decoder.Finish();
}

}  // namespace
}  // namespace rans

struct RansDecoder::Impl {
  std::optional<rans::PayloadDecoder> payload;
  std::vector<uint16_t> cells;  // of a position
};

RansDecoder::RansDecoder() : impl_(std::make_unique<Impl>()) {}
RansDecoder::RansDecoder(RansDecoder&&) noexcept = default;
RansDecoder& RansDecoder::operator=(RansDecoder&&) noexcept = default;
RansDecoder::~RansDecoder() = default;

Status RansDecoder::Start(std::span<const uint8_t> payload, size_t count, const CdfTableSet& tables, Simd simd) {
  return impl_->payload.emplace(tables, simd, count, payload.size()).Open(payload);
}

template <typename Symbol>
Status RansDecoder::Next(const TableIndices& indices, std::span<Symbol> symbols) {
  STRAIT_RETURN_IF_ERROR(rans::CheckTables(indices, symbols.size(), impl_->payload->tables));
  return impl_->payload->Decode(rans::IndexWalk<rans::Direction::kForwards>(indices, symbols.size()), symbols);
}

Status RansDecoder::NextPositions(const ContextTables& context, ContextNear near, std::span<int16_t> symbols) {
  for (const int weight : context.weights) {
    if (std::abs(weight) <= kMaxContextWeight) continue;
    return Error(StatusCode::kInvalidArgument, "rans: context weight ", weight, " is not in -", kMaxContextWeight,
                 "..", kMaxContextWeight);
  }
  if (context.channels == 0 || symbols.size() % context.channels != 0) {
    return Error(StatusCode::kInvalidArgument, "rans: ", symbols.size(),
                 " symbols, want those of whole positions of ", context.channels, " channels");
  }
  if (context.of_cells.size() < context.channels * kContextCells + ContextTables::kPadding) {
    return Error(StatusCode::kInvalidArgument, "rans: tables of ", context.of_cells.size(), " cells, want ",
                 context.channels * kContextCells, " and a padding");
  }
  impl_->cells.resize(InContextBlocks(context.channels));
  return impl_->payload->DecodePositions(context, near, symbols, impl_->cells.data());
}

Status RansDecoder::Finish() const { return impl_->payload->Finish(); }

template <typename Symbol>
Status RansDecode(std::span<const uint8_t> payload, const SymbolLayout& layout, const CdfTableSet& tables,
                  std::span<Symbol> symbols, Simd simd) {
  const auto walk = rans::ChannelWalk<rans::Direction::kForwards>(layout, symbols.size());
  return rans::DecodeAll(payload, layout, walk, tables, symbols, simd);
}

template <typename Symbol>
Status RansDecode(std::span<const uint8_t> payload, const TableIndices& indices, const CdfTableSet& tables,
                  std::span<Symbol> symbols, Simd simd) {
  const auto walk = rans::IndexWalk<rans::Direction::kForwards>(indices, symbols.size());
  return rans::DecodeAll(payload, indices, walk, tables, symbols, simd);
}

#define STRAIT_INSTANTIATE(Symbol)                                                                                 \
  template Status RansDecode(std::span<const uint8_t>, const SymbolLayout&, const CdfTableSet&, std::span<Symbol>, \
                             Simd);                                                                                \
  template Status RansDecode(std::span<const uint8_t>, const TableIndices&, const CdfTableSet&, std::span<Symbol>, \
                             Simd);                                                                                \
  template Status RansDecoder::Next(const TableIndices&, std::span<Symbol>);
STRAIT_INSTANTIATE(int8_t)
STRAIT_INSTANTIATE(int16_t)
STRAIT_INSTANTIATE(int32_t)
#undef STRAIT_INSTANTIATE

}  // namespace strait
