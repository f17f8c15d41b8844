#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "entropy/error.h"
#include "entropy/escape.h"
#include "entropy/rans.h"
#include "entropy/rans_kernels.h"
#include "entropy/rans_lanes.h"
#include "entropy/select_kernels.h"
#include "entropy/table_walk.h"

namespace strait {
namespace rans {
namespace {

// An added lane takes a word and a field of 11.5 bits on average: 7 / 4 words leave a little.
size_t WordsToAdd(size_t rung) { return (kLadder[rung + 1].lanes - kLadder[rung].lanes) * 7 / 4; }

// As long as enough symbols are left to gain more than adding and retiring the lanes takes.
size_t SymbolsToAdd(size_t rung) { return kLadder[rung + 1].least_symbols / 4; }

constexpr size_t kWorthSpeed = 2048;  // symbols; half a byte less is worth more than some microseconds below

// Words in the order in which they are pushed, which is the reverse of the payload's.
class WordStack {
 public:
  void Reserve(size_t words) {
    if (capacity_ - size_ >= words) return;
    capacity_ = std::max(2 * capacity_, size_ + words);
    auto grown = std::make_unique_for_overwrite<uint16_t[]>(capacity_);
    if (size_ > 0) std::memcpy(grown.get(), words_.get(), size_ * sizeof(uint16_t));
    words_ = std::move(grown);
  }
  void Push(uint16_t word) {
    if (size_ == capacity_) [[unlikely]]
      Reserve(1024);
    words_[size_++] = word;
  }
  uint16_t Pop() { return words_[--size_]; }
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  uint16_t* end() { return words_.get() + size_; }
  void set_end(const uint16_t* end) { size_ = static_cast<size_t>(end - words_.get()); }
  void set_size(size_t size) { size_ = size; }

  // In the payload's order, little endian.
  void WriteTo(uint8_t* dst, const Kernels* kernels) const {
    if (kernels != nullptr) return kernels->reverse(words_.get(), size_, dst);
    ReverseWords(words_.get(), size_, dst);
  }

 private:
  std::unique_ptr<uint16_t[]> words_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// What coding a stretch of symbols changes.
struct Stream {
  LaneStates states = {};
  WordStack words;

  void Restart() {
    states[0] = kStartState;
    words.set_size(0);
  }
  // Of the payload that was encoded.
  size_t payload_bytes() const {
    if (words.empty() && states[0] == kStartState) return 0;  // nothing was said
    return static_cast<size_t>(StateBytes(states[0])) + 2 * words.size();
  }
};

template <typename Symbol>
Status PutEscaped(Symbol symbol, const CdfTableSet::TableView& table, uint32_t& state, WordStack& words) {
  const int32_t max_symbol = table.max_symbol();
  if (!table.has_escape) {
    return Error(StatusCode::kInvalidArgument, "rans: symbol ", int64_t{symbol}, " is outside [", table.min_symbol,
                 ", ", max_symbol, "] and its table has no escape; clamp it first");
  }
  PutEscapeBackwards(MakeEscape(symbol, table.min_symbol, max_symbol), MaxEscapeExponent(8 * sizeof(Symbol)),
                     [&](uint32_t value, int bits) { PutBits(value, bits, state, words); });
  return {};
}

// The reference: symbols [begin, end) from the last to the first, symbol i by lane i mod lanes; before a stretch
// that is worth a kernel it may stop early, and says where.
template <bool kOneLane, typename Symbol, typename Walk>
Status EncodeScalar(const Symbol* symbols, size_t begin, size_t end, Walk& walk, const CdfTableSet& tables,
                    size_t lanes, Stream& stream, size_t& stopped) {
  const int precision = tables.precision();
  uint32_t lone_state = stream.states[0];
  size_t i = end;
  while (i > begin) {
    const Stretch stretch = walk.Peek(i - begin);
    if (stretch.count >= kGroup && i < end) break;
    if (!HasTable(stretch, tables)) [[unlikely]]
      return NoTableError(stretch, tables);
    walk.Skip(stretch.count);
    const CdfTableSet::TableView& table = tables.View(stretch.table);
    for (const size_t stop = i - stretch.count; i-- > stop;) {
      uint32_t state = kOneLane ? lone_state : stream.states[i & (lanes - 1)];
      uint32_t entry = static_cast<uint32_t>(symbols[i]) - static_cast<uint32_t>(table.min_symbol);
      if (entry >= table.num_values) [[unlikely]] {
        uint32_t escaped_state = state;  // a copy, so that the common path keeps its state in a register
        STRAIT_RETURN_IF_ERROR(PutEscaped(symbols[i], table, escaped_state, stream.words));
        state = escaped_state;
        entry = table.num_values;
      }
      Put(table.cum[entry], table.cum[entry + 1] - table.cum[entry], precision, state, stream.words);
      (kOneLane ? lone_state : stream.states[i & (lanes - 1)]) = state;
    }
    ++i;
  }
  if (kOneLane) stream.states[0] = lone_state;
  stopped = i;
  return {};
}

// Symbols as a kernel reads them: words, and the minimum it subtracts from them.
constexpr size_t kStagedSymbols = 1024;

template <typename Symbol>
uint16_t Stage(const Symbol* symbols, size_t count, const CdfTableSet::TableView& table, const uint16_t** staged,
               uint16_t* buffer) {
  if constexpr (sizeof(Symbol) == sizeof(uint16_t)) {
    *staged = reinterpret_cast<const uint16_t*>(symbols);
    return static_cast<uint16_t>(table.min_symbol);
  } else {
    for (size_t i = 0; i < count; ++i) {
      const uint32_t entry = static_cast<uint32_t>(symbols[i]) - static_cast<uint32_t>(table.min_symbol);
      buffer[i] = static_cast<uint16_t>(std::min<uint32_t>(entry, 0xffff));  // above every table of a kernel
    }
    *staged = buffer;
    return 0;
  }
}

// As EncodeScalar for a stretch of one table, groups of 16 by the kernel.
template <typename Symbol>
Status EncodeWide(const Symbol* symbols, size_t begin, size_t end, size_t table_index, const CdfTableSet& tables,
                  size_t lanes, const Kernels& kernels, Stream& stream) {
  const CdfTableSet::TableView& table = tables.View(table_index);
  OneTableWalk walk{table_index};
  const auto scalar_down_to = [&](size_t stop) -> Status {
    if (stop == end) return {};
    return EncodeScalar<false>(symbols, stop, end, walk, tables, lanes, stream, end);
  };
  STRAIT_RETURN_IF_ERROR(scalar_down_to(std::max(begin, end - end % kGroup)));
  uint16_t buffer[kStagedSymbols];
  while (end - begin >= kGroup) {
    const size_t count = std::min((end - begin) / kGroup * kGroup, kStagedSymbols);
    EncodeJob job{&table.kernel, tables.precision(),    0,       stream.states.data(),
                  lanes,         (end - 1) % lanes + 1, nullptr, nullptr,
                  count};
    job.min_symbol = Stage(symbols + end - count, count, table, &job.symbols, buffer);
    stream.words.Reserve(count + kGroup);
    job.words = stream.words.end();
    const size_t done = kernels.encode(job);
    stream.words.set_end(job.words);
    end -= done;
    if (done < count) STRAIT_RETURN_IF_ERROR(scalar_down_to(end - kGroup));  // a symbol that is not in the table
  }
  return scalar_down_to(begin);
}

template <typename Symbol, typename Walk>
Status EncodeDownTo(size_t stop, size_t& position, size_t lanes, const Symbol* symbols, Walk& walk,
                    const CdfTableSet& tables, const Kernels* kernels, Stream& stream) {
  while (position > stop) {
    const Stretch stretch = walk.Peek(position - stop);
    if (!HasTable(stretch, tables)) [[unlikely]]
      return NoTableError(stretch, tables);
    const CdfTableSet::TableView& table = tables.View(stretch.table);
    const auto is_minimum = [&](Symbol symbol) { return symbol == table.min_symbol; };
    if (table.is_certain && std::all_of(symbols + position - stretch.count, symbols + position, is_minimum)) {
      walk.Skip(stretch.count);
      position -= stretch.count;
    } else if (lanes >= kLeastKernelLanes && stretch.count >= kGroup && CanTake(kernels, table.kernel)) {
      const size_t end = position;
      walk.Skip(stretch.count);
      position -= stretch.count;
      STRAIT_RETURN_IF_ERROR(EncodeWide(symbols, position, end, stretch.table, tables, lanes, *kernels, stream));
    } else {
      const auto encode = lanes == 1 ? EncodeScalar<true, Symbol, Walk> : EncodeScalar<false, Symbol, Walk>;
      STRAIT_RETURN_IF_ERROR(encode(symbols, stop, position, walk, tables, lanes, stream, position));
    }
  }
  return {};
}

// Adds the lanes of the next rung; false, and nothing done, when there are not enough words to start them from.
bool Climb(size_t rung, Stream& stream) {
  const size_t words = stream.words.size();
  if (words < WordsToAdd(rung)) return false;
  const LaneStates states = stream.states;
  if (AddLanes(kLadder[rung].lanes, kLadder[rung + 1].lanes, stream.states, stream.words)) return true;
  stream.states = states;  // popping leaves the words in place
  stream.words.set_size(words);
  return false;
}

// Puts what the decoder must know before it starts: for each higher rung how many units of the payload's end it
// leaves to the rungs below and 1, or 0 for a rung that was not reached, which ends the list.
void PutPhases(const Phases& phases, size_t reached, size_t top_rung, Stream& stream) {
  if (reached < top_rung) PutNumber(0, stream.states[0], stream.words);
  for (size_t rung = reached; rung > 0; --rung) {
    const size_t units = phases.end[rung - 1] / kPhaseUnit - phases.end[rung] / kPhaseUnit;
    PutNumber(units + 1, stream.states[0], stream.words);
  }
}

template <typename Symbol, typename Walk>
Status Encode(std::span<const Symbol> symbols, Walk walk, const CdfTableSet& tables, const RansOptions& options,
              Stream& stream) {
  STRAIT_RETURN_IF_ERROR(CheckSymbolBits(8 * sizeof(Symbol), tables));
  const Kernels* const kernels = SelectKernels(options.simd);
  const size_t top_rung = TopRung(symbols.size());
  stream.Restart();
  stream.words.Reserve(symbols.size() / 4 + 64);
  Phases phases;
  phases.end[0] = symbols.size();
  size_t rung = 0;
  const size_t max_lanes = options.max_lanes != 0         ? options.max_lanes
                           : symbols.size() < kWorthSpeed ? 1
                                                          : kMaxLanes;
  const auto may_climb = [&] { return rung < top_rung && kLadder[rung + 1].lanes <= max_lanes; };
  for (size_t position = symbols.size(); position > 0;) {
    const size_t stop = may_climb() ? (position - 1) / kPhaseUnit * kPhaseUnit : 0;
    STRAIT_RETURN_IF_ERROR(
        EncodeDownTo(stop, position, kLadder[rung].lanes, symbols.data(), walk, tables, kernels, stream));
    while (may_climb() && position >= SymbolsToAdd(rung) && Climb(rung, stream)) phases.end[++rung] = position;
  }
  if (stream.payload_bytes() == 0) return {};

  for (size_t r = rung; r > 0; --r)
    RetireLanes(kLadder[r].lanes, kLadder[r - 1].lanes, stream.states, stream.words);
  PutPhases(phases, rung, top_rung, stream);
  return {};
}

// Of symbols of one table. Four sums, since one would wait for each addition.
template <typename Symbol>
double StretchBits(const CdfTableSet& tables, size_t table, const Symbol* symbols, size_t count) {
  const CdfTableSet::TableView& view = tables.View(table);
  double bits[4] = {};
  for (size_t i = 0; i < count; ++i) {
    const uint32_t entry = static_cast<uint32_t>(symbols[i]) - static_cast<uint32_t>(view.min_symbol);
    bits[i % 4] += entry < view.num_values ? view.cost_bits[entry] : tables.CostBits(table, symbols[i]);
  }
  return (bits[0] + bits[1]) + (bits[2] + bits[3]);
}

template <typename Symbol, typename Walk>
double CostBits(std::span<const Symbol> symbols, Walk walk, const CdfTableSet& tables) {
  double bits = 0;
  for (size_t i = 0; i < symbols.size();) {
    const Stretch stretch = walk.Peek(symbols.size() - i);
    if (!HasTable(stretch, tables)) return std::numeric_limits<double>::infinity();
    walk.Skip(stretch.count);
    bits += StretchBits(tables, stretch.table, symbols.data() + i, stretch.count);
    i += stretch.count;
  }
  return bits;
}

}  // namespace
}  // namespace rans

struct RansEncoder::Impl {
  rans::Stream stream;
  const rans::Kernels* kernels = nullptr;  // of the last payload
};

RansEncoder::RansEncoder() : impl_(std::make_unique<Impl>()) {}
RansEncoder::RansEncoder(RansEncoder&&) noexcept = default;
RansEncoder& RansEncoder::operator=(RansEncoder&&) noexcept = default;
RansEncoder::~RansEncoder() = default;

void RansEncoder::Reserve(size_t payload_bytes) {
  impl_->stream.words.set_size(0);
  impl_->stream.words.Reserve(payload_bytes / 2 + rans::kStagedSymbols + 2 * rans::kGroup);
}

template <typename Symbol>
Status RansEncoder::Encode(std::span<const Symbol> symbols, const SymbolLayout& layout, const CdfTableSet& tables,
                           const RansOptions& options) {
  impl_->stream.Restart();
  impl_->kernels = rans::SelectKernels(options.simd);
  STRAIT_RETURN_IF_ERROR(rans::CheckTables(layout, symbols.size(), tables));
  return rans::Encode(symbols, rans::ChannelWalk<rans::Direction::kBackwards>(layout, symbols.size()), tables,
                      options, impl_->stream);
}

template <typename Symbol>
Status RansEncoder::Encode(std::span<const Symbol> symbols, const TableIndices& indices, const CdfTableSet& tables,
                           const RansOptions& options) {
  impl_->stream.Restart();
  impl_->kernels = rans::SelectKernels(options.simd);
  STRAIT_RETURN_IF_ERROR(rans::CheckTables(indices, symbols.size(), tables));
  return rans::Encode(symbols, rans::IndexWalk<rans::Direction::kBackwards>(indices, symbols.size()), tables,
                      options, impl_->stream);
}

size_t RansEncoder::payload_bytes() const { return impl_->stream.payload_bytes(); }

void RansEncoder::WritePayload(uint8_t* dst) const {
  if (payload_bytes() == 0) return;
  const uint32_t state = impl_->stream.states[0];
  for (int byte = 0; byte < rans::StateBytes(state); ++byte) *dst++ = static_cast<uint8_t>(state >> (8 * byte));
  impl_->stream.words.WriteTo(dst, impl_->kernels);
}

namespace {

template <typename Symbol, typename Tables>
Status AppendPayload(std::span<const Symbol> symbols, const Tables& which, const CdfTableSet& tables,
                     std::vector<uint8_t>& dst, const RansOptions& options) {
  RansEncoder encoder;
  STRAIT_RETURN_IF_ERROR(encoder.Encode(symbols, which, tables, options));
  const size_t position = dst.size();
  dst.resize(position + encoder.payload_bytes());
  encoder.WritePayload(dst.data() + position);
  return {};
}

}  // namespace

template <typename Symbol>
Status RansEncode(std::span<const Symbol> symbols, const SymbolLayout& layout, const CdfTableSet& tables,
                  std::vector<uint8_t>& dst, const RansOptions& options) {
  return AppendPayload(symbols, layout, tables, dst, options);
}

template <typename Symbol>
Status RansEncode(std::span<const Symbol> symbols, const TableIndices& indices, const CdfTableSet& tables,
                  std::vector<uint8_t>& dst, const RansOptions& options) {
  return AppendPayload(symbols, indices, tables, dst, options);
}

double RansPayloadEstimate(double cost_bits, size_t count) {
  // A payload of one lane holds log2 of its last state and 16 bits a word, rounded up to bytes; the start state and
  // each number of the phases come on top.
  const double start_bits = std::log2(static_cast<double>(rans::kStartState));
  const size_t top_rung = rans::TopRung(count);
  const double phase_bits = count < rans::kWorthSpeed ? static_cast<double>(top_rung > 0) : 9.0 * top_rung;
  if (cost_bits == 0 && top_rung == 0) return 0;
  return (cost_bits + start_bits + phase_bits) / 8;
}

double RansEstimateError(size_t count) {
  // Seen over precisions of 12 to 16 bits and tables of 1 to 8 bits a symbol: 0.6 with one lane, 2.3 at 16,384
  // symbols, 10.7 at 262,144.
  return count < rans::kWorthSpeed ? 0.7 : 2 + 5e-5 * static_cast<double>(count);
}

size_t RansPayloadBound(size_t count, const CdfTableSet& tables) {
  // A step of an entry makes the state longer by at most precision bits and a rounding far below one; an escape
  // adds 2 t - 1 bits. Lanes give back what they took; phases and the last state are a few bytes.
  constexpr size_t kFixedBytes = 64;
  const auto bits_per_symbol = static_cast<size_t>(tables.precision() + 2 * tables.symbol_bits());
  return count * bits_per_symbol / 8 + kFixedBytes;
}

template <typename Symbol>
double RansCostBits(std::span<const Symbol> symbols, const SymbolLayout& layout, const CdfTableSet& tables) {
  if (!rans::CheckTables(layout, symbols.size(), tables).ok()) return std::numeric_limits<double>::infinity();
  return rans::CostBits(symbols, rans::ChannelWalk<rans::Direction::kForwards>(layout, symbols.size()), tables);
}

template <typename Symbol>
double RansCostBits(std::span<const Symbol> symbols, const TableIndices& indices, const CdfTableSet& tables) {
  if (!rans::CheckTables(indices, symbols.size(), tables).ok()) return std::numeric_limits<double>::infinity();
  return rans::CostBits(symbols, rans::IndexWalk<rans::Direction::kForwards>(indices, symbols.size()), tables);
}

#define STRAIT_INSTANTIATE(Symbol)                                                                      \
  template Status RansEncoder::Encode(std::span<const Symbol>, const SymbolLayout&, const CdfTableSet&, \
                                      const RansOptions&);                                              \
  template Status RansEncoder::Encode(std::span<const Symbol>, const TableIndices&, const CdfTableSet&, \
                                      const RansOptions&);                                              \
  template Status RansEncode(std::span<const Symbol>, const SymbolLayout&, const CdfTableSet&,          \
                             std::vector<uint8_t>&, const RansOptions&);                                \
  template Status RansEncode(std::span<const Symbol>, const TableIndices&, const CdfTableSet&,          \
                             std::vector<uint8_t>&, const RansOptions&);                                \
  template double RansCostBits(std::span<const Symbol>, const SymbolLayout&, const CdfTableSet&);       \
  template double RansCostBits(std::span<const Symbol>, const TableIndices&, const CdfTableSet&);
STRAIT_INSTANTIATE(int8_t)
STRAIT_INSTANTIATE(int16_t)
STRAIT_INSTANTIATE(int32_t)
#undef STRAIT_INSTANTIATE

}  // namespace strait
