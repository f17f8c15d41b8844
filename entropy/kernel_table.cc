#include "entropy/kernel_table.h"

#include <algorithm>
#include <bit>

namespace strait::rans {
namespace {

constexpr uint16_t kNever = 32767;  // no slot is above it

// Node `node` of the search tree in heap order (children of n: 2n and 2n + 1) of 2^depth leaves: the search goes
// right when slot > bound, that is when the slot belongs to an entry at or after `first`.
uint16_t SearchBound(const uint32_t* cum, size_t entries, int depth, size_t node) {
  const int level = std::bit_width(node) - 1;
  const size_t leaves = size_t{1} << (depth - level);  // under this node
  const size_t first = (node - (size_t{1} << level)) * leaves + leaves / 2;
  return first < entries ? static_cast<uint16_t>(cum[first] - 1) : kNever;
}

}  // namespace

int KernelDepth(size_t entries, int precision) {
  if (entries < 2 || entries > kMaxKernelEntries || precision > kMaxKernelPrecision) return 0;
  return std::bit_width(entries - 1);
}

Reciprocal ReciprocalOf(uint32_t freq) {
  if (freq == 1) return {0xffffffffu, 0, 1};
  const int bits = std::bit_width(freq - 1);  // ceil(log2 freq)
  const uint64_t numerator = uint64_t{1} << (31 + bits);
  const uint64_t down = numerator / freq;
  const uint64_t remainder = numerator % freq;
  if (remainder == 0) return {static_cast<uint32_t>(down), bits - 1, 0};
  const bool up = freq - remainder <= remainder;
  return {static_cast<uint32_t>(up ? down + 1 : down), bits - 1, up ? 0 : 1};
}

void BuildKernelImage(const uint32_t* cum, size_t entries, int depth, uint16_t* image) {
  const size_t words = KernelTable::SectionWords(depth);
  const size_t offset = size_t{1} << depth;
  std::fill_n(image, kNumKernelSections * words, uint16_t{0});
  for (size_t node = 1; node < offset; ++node) {
    image[kTreeSection * words + node] = SearchBound(cum, entries, depth, node);
  }
  for (size_t entry = 0; entry < entries; ++entry) {
    const uint32_t freq = cum[entry + 1] - cum[entry];
    const Reciprocal reciprocal = ReciprocalOf(freq);
    const size_t word = (entry + offset) % words;
    const auto set = [&](KernelSection section, uint32_t value) {
      image[section * words + word] = static_cast<uint16_t>(value);
    };
    set(kFreqSection, freq);
    set(kCumSection, cum[entry]);
    set(kReciprocalLow, reciprocal.multiplier);
    set(kReciprocalHigh, reciprocal.multiplier >> 16);
    set(kReciprocalShift, static_cast<uint32_t>(reciprocal.shift | reciprocal.increment << 15));
  }
}

}  // namespace strait::rans
