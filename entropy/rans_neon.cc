// Kernels for AArch64, where NEON is always there: table lookups of up to 64 bytes do what permutes do elsewhere.
#include <arm_neon.h>

#include <array>

#include "entropy/rans_kernels.h"

namespace strait::rans {
namespace {

constexpr int kMaxDepth = 6;  // of the tables taken
constexpr size_t kWordBytes = 2;
constexpr uint8_t kZero = 0xff;  // a byte index past every table looks up zero

// For each set of 4 lanes, given by its bits: the bytes to take. `expand` gives each set lane the next word, as a
// 32-bit number; `compress` lists the low words of the set lanes from the highest to the lowest.
struct LaneOrders {
  uint8_t expand[16][16];
  uint8_t compress[16][16];
  uint8_t count[16];
};

constexpr LaneOrders MakeLaneOrders() {
  LaneOrders orders = {};
  for (int bits = 0; bits < 16; ++bits) {
    for (int i = 0; i < 16; ++i) orders.expand[bits][i] = orders.compress[bits][i] = kZero;
    int words = 0;
    for (int lane = 0; lane < 4; ++lane) {
      if ((bits >> lane & 1) == 0) continue;
      orders.expand[bits][4 * lane] = static_cast<uint8_t>(2 * words);
      orders.expand[bits][4 * lane + 1] = static_cast<uint8_t>(2 * words + 1);
      ++words;
    }
    orders.count[bits] = static_cast<uint8_t>(words);
    int listed = 0;
    for (int lane = 3; lane >= 0; --lane) {
      if ((bits >> lane & 1) == 0) continue;
      orders.compress[bits][2 * listed] = static_cast<uint8_t>(4 * lane);
      orders.compress[bits][2 * listed + 1] = static_cast<uint8_t>(4 * lane + 1);
      ++listed;
    }
  }
  return orders;
}

constexpr LaneOrders kLaneOrders = MakeLaneOrders();

// The set of lanes whose mask is all ones.
unsigned LaneBits(uint32x4_t mask) {
  const uint32x4_t weights = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(mask, weights));
}

// 16 lanes in four vectors, and 16 words in two.
using States = std::array<uint32x4_t, 4>;
using Words = std::array<uint16x8_t, 2>;

States Load(const uint32_t* states) {
  return {vld1q_u32(states), vld1q_u32(states + 4), vld1q_u32(states + 8), vld1q_u32(states + 12)};
}
void Store(const States& states, uint32_t* dst) {
  for (size_t v = 0; v < 4; ++v) vst1q_u32(dst + 4 * v, states[v]);
}
uint16x8_t LowWords(uint32x4_t first, uint32x4_t last) { return vcombine_u16(vmovn_u32(first), vmovn_u32(last)); }

// An index n of a word, as the bytes 2n and 2n + 1.
constexpr uint16_t kPerIndex = 0x0202, kHighByte = 0x0100;
uint16x8_t ByteIndex(int n) { return vdupq_n_u16(static_cast<uint16_t>(n * kPerIndex + kHighByte)); }

// A section, looked up by byte index modulo its size.
template <int kDepth>
struct Section {
  explicit Section(const uint16_t* words) {
    const auto* const bytes = reinterpret_cast<const uint8_t*>(words);
    for (int i = 0; i < 4; ++i) low.val[i] = vld1q_u8(bytes + 16 * i);
    if constexpr (kDepth == 6) {
      for (int i = 0; i < 4; ++i) high.val[i] = vld1q_u8(bytes + 64 + 16 * i);
    }
  }
  static uint16x8_t Lookup(const uint8x16x4_t& bytes, uint8x16_t index) {
    return vreinterpretq_u16_u8(vqtbl4q_u8(bytes, vandq_u8(index, vdupq_n_u8(63))));
  }
  uint16x8_t At(uint16x8_t byte_index) const {
    const uint8x16_t index = vreinterpretq_u8_u16(byte_index);
    if constexpr (kDepth != 6) return Lookup(low, index);
    const uint8x16_t in_high = vtstq_u8(index, vdupq_n_u8(64));
    return vreinterpretq_u16_u8(
        vbslq_u8(in_high, vreinterpretq_u8_u16(Lookup(high, index)), vreinterpretq_u8_u16(Lookup(low, index))));
  }
  uint8x16x4_t low;
  uint8x16x4_t high;
};

template <int kDepth>
struct DecodeTables {
  explicit DecodeTables(const DecodeJob& job)
      : tree(job.table->section(kTreeSection)),
        freq(job.table->section(kFreqSection)),
        cum(job.table->section(kCumSection)),
        slot_mask(vdupq_n_u16(static_cast<uint16_t>((1 << job.precision) - 1))),
        escape(ByteIndex(job.table->has_escape ? job.table->num_values + (1 << kDepth) : 0)),
        bias(vdupq_n_u16(static_cast<uint16_t>(job.min_symbol - (1 << kDepth)))),
        shift(vdupq_n_s32(-job.precision)) {}

  Section<kDepth> tree, freq, cum;
  uint16x8_t slot_mask, escape, bias;
  int32x4_t shift;
};

// The byte index of entry + 2^depth of each slot.
template <int kDepth>
uint16x8_t Find(const DecodeTables<kDepth>& tables, uint16x8_t slot) {
  uint16x8_t index = ByteIndex(1);
  for (int level = 0; level < kDepth; ++level) {
    const uint16x8_t right = vcgtq_u16(slot, tables.tree.At(index));
    // From n to 2n or 2n + 1.
    index = vaddq_u16(vsubq_u16(vaddq_u16(index, index), vdupq_n_u16(kHighByte)),
                      vandq_u16(right, vdupq_n_u16(kPerIndex)));
  }
  return index;
}

uint32x4_t Refill(uint32x4_t s, const uint8_t*& next) {
  const uint32x4_t low = vceqq_u32(vshrq_n_u32(s, 16), vdupq_n_u32(0));
  const unsigned bits = LaneBits(low);
  const uint8x16_t unread = vcombine_u8(vld1_u8(next), vdup_n_u8(0));
  const uint32x4_t words = vreinterpretq_u32_u8(vqtbl1q_u8(unread, vld1q_u8(kLaneOrders.expand[bits])));
  next += kWordBytes * kLaneOrders.count[bits];
  return vbslq_u32(low, vorrq_u32(vshlq_n_u32(s, 16), words), s);
}

template <int kDepth>
size_t DecodeStretch(DecodeJob& job) {
  const DecodeTables<kDepth> tables(job);
  const uint8_t* next = job.next;
  size_t lane = job.lane;
  size_t done = 0;
  while (done < job.count && static_cast<size_t>(job.end - next) >= kGroup * kWordBytes) {
    States states = Load(job.states + lane);
    const Words slot = {vandq_u16(LowWords(states[0], states[1]), tables.slot_mask),
                        vandq_u16(LowWords(states[2], states[3]), tables.slot_mask)};
    const Words index = {Find(tables, slot[0]), Find(tables, slot[1])};
    const uint16x8_t escapes = vorrq_u16(vceqq_u16(index[0], tables.escape), vceqq_u16(index[1], tables.escape));
    if (vmaxvq_u16(escapes) != 0) break;
    for (size_t half = 0; half < 2; ++half) {
      const uint16x8_t freq = tables.freq.At(index[half]);
      const uint16x8_t offset = vsubq_u16(slot[half], tables.cum.At(index[half]));
      const auto undo = [&](uint32x4_t s, uint16x4_t f, uint16x4_t o) {
        return vmlaq_u32(vmovl_u16(o), vmovl_u16(f), vshlq_u32(s, tables.shift));
      };
      uint32x4_t& first = states[2 * half];
      uint32x4_t& last = states[2 * half + 1];
      first = Refill(undo(first, vget_low_u16(freq), vget_low_u16(offset)), next);
      last = Refill(undo(last, vget_high_u16(freq), vget_high_u16(offset)), next);
      const uint16x8_t node = vshrq_n_u16(vandq_u16(index[half], vdupq_n_u16(0xff)), 1);
      vst1q_u16(job.symbols + done + 8 * half, vaddq_u16(node, tables.bias));
    }
    Store(states, job.states + lane);
    done += kGroup;
    lane = lane + kGroup == job.lanes ? 0 : lane + kGroup;
  }
  job.next = next;
  return done;
}

size_t Decode(DecodeJob& job) {
  return ForDepth<kMaxDepth>(job.table->depth, [&]<int kDepth>() { return DecodeStretch<kDepth>(job); });
}

template <int kDepth>
struct EncodeTables {
  explicit EncodeTables(const EncodeJob& job)
      : freq(job.table->section(kFreqSection)),
        cum(job.table->section(kCumSection)),
        low(job.table->section(kReciprocalLow)),
        high(job.table->section(kReciprocalHigh)),
        shift(job.table->section(kReciprocalShift)),
        min_symbol(vdupq_n_u16(job.min_symbol)),
        num_values(vdupq_n_u16(job.table->num_values)),
        total(vdupq_n_u32(1u << job.precision)),
        spare(vdupq_n_s32(job.precision - 32)) {}

  Section<kDepth> freq, cum, low, high, shift;
  uint16x8_t min_symbol, num_values;
  uint32x4_t total;
  int32x4_t spare;
};

struct Lookups {
  uint32x4_t freq, cum, multiplier, shift;
};

// One step of 4 lanes. Pushes the words of the highest lanes first.
uint32x4_t Step(uint32x4_t s, const Lookups& found, uint32x4_t total, int32x4_t spare, uint16_t*& words) {
  const uint32x4_t full = vcgeq_u32(vshlq_u32(s, spare), found.freq);
  const unsigned bits = LaneBits(full);
  const uint8x16_t pushed = vqtbl1q_u8(vreinterpretq_u8_u32(s), vld1q_u8(kLaneOrders.compress[bits]));
  vst1_u16(words, vreinterpret_u16_u8(vget_low_u8(pushed)));
  words += kLaneOrders.count[bits];
  s = vbslq_u32(full, vshrq_n_u32(s, 16), s);

  const uint32x4_t dividend = vaddq_u32(s, vshrq_n_u32(found.shift, 15));
  const uint32x2_t first = vshrn_n_u64(vmull_u32(vget_low_u32(dividend), vget_low_u32(found.multiplier)), 32);
  const uint32x2_t last = vshrn_n_u64(vmull_u32(vget_high_u32(dividend), vget_high_u32(found.multiplier)), 32);
  const int32x4_t shift = vnegq_s32(vreinterpretq_s32_u32(vandq_u32(found.shift, vdupq_n_u32(31))));
  const uint32x4_t quotient = vshlq_u32(vcombine_u32(first, last), shift);
  // quotient * 2^p + (s - quotient * freq) + cum
  return vmlaq_u32(vaddq_u32(s, found.cum), quotient, vsubq_u32(total, found.freq));
}

template <int kDepth>
size_t EncodeStretch(EncodeJob& job) {
  const EncodeTables<kDepth> tables(job);
  uint16_t* words = job.words;
  size_t lane = job.lane;
  size_t left = job.count;
  for (; left > 0; left -= kGroup) {
    const uint16_t* const symbols = job.symbols + left - kGroup;
    const Words entry = {vsubq_u16(vld1q_u16(symbols), tables.min_symbol),
                         vsubq_u16(vld1q_u16(symbols + 8), tables.min_symbol)};
    const uint16x8_t outside =
        vorrq_u16(vcgeq_u16(entry[0], tables.num_values), vcgeq_u16(entry[1], tables.num_values));
    if (vmaxvq_u16(outside) != 0) break;
    lane -= kGroup;
    States states = Load(job.states + lane);
    for (size_t half = 2; half-- > 0;) {
      const uint16x8_t index = vaddq_u16(vmulq_n_u16(entry[half], kPerIndex), ByteIndex(1 << kDepth));
      const uint16x8_t freq = tables.freq.At(index), cum = tables.cum.At(index), shift = tables.shift.At(index);
      const uint16x8_t low = tables.low.At(index), high = tables.high.At(index);
      const Lookups last = {vmovl_high_u16(freq), vmovl_high_u16(cum), vreinterpretq_u32_u16(vzip2q_u16(low, high)),
                            vmovl_high_u16(shift)};
      const Lookups first = {vmovl_u16(vget_low_u16(freq)), vmovl_u16(vget_low_u16(cum)),
                             vreinterpretq_u32_u16(vzip1q_u16(low, high)), vmovl_u16(vget_low_u16(shift))};
      states[2 * half + 1] = Step(states[2 * half + 1], last, tables.total, tables.spare, words);
      states[2 * half] = Step(states[2 * half], first, tables.total, tables.spare, words);
    }
    Store(states, job.states + lane);
    if (lane == 0) lane = job.lanes;
  }
  job.words = words;
  return job.count - left;
}

size_t Encode(EncodeJob& job) {
  return ForDepth<kMaxDepth>(job.table->depth, [&]<int kDepth>() { return EncodeStretch<kDepth>(job); });
}

void Reverse(const uint16_t* words, size_t count, uint8_t* dst) {
  size_t i = count;
  for (; i >= 8; i -= 8, dst += 16) {
    const uint16x8_t swapped = vrev64q_u16(vld1q_u16(words + i - 8));
    vst1q_u8(dst, vreinterpretq_u8_u16(vextq_u16(swapped, swapped, 4)));
  }
  ReverseWords(words, i, dst);
}

}  // namespace

extern const Kernels kNeonKernels;
const Kernels kNeonKernels = {kMaxDepth, Decode, nullptr, Encode, Reverse};

}  // namespace strait::rans
