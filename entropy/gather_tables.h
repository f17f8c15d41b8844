// All CDF tables of a set in one image, for symbols of which each may have another table, as conditional models
// choose them: one lookup finds an entry, nearly always, whatever table came before. Only sets of at most 256
// tables have one, of a precision up to 15 bits, whose values lie within 256 of each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace strait {
struct CdfTable;
}

namespace strait::rans {

inline constexpr size_t kMaxGatherTables = 256;
inline constexpr uint32_t kMaxGatherEntries = 256;

// A table is a word for each of kBuckets buckets of slots and one for each entry. Entry e stands for the symbol
// min_symbol + e in all of them, so that no lookup is needed to tell; the escape comes after the values.
struct GatherTables {
  static constexpr int kBucketBits = 7;
  static constexpr uint32_t kBuckets = uint32_t{1} << kBucketBits;
  // An entry's word: its first slot and whether it is the escape; its frequency above. 32 bits are used.
  static constexpr uint32_t kFirstSlotMask = 0x7fff;
  static constexpr uint32_t kEscapeFlag = 0x8000;
  static constexpr int kFreqShift = 16;
  // A bucket's word is of the entry at its start: below as above, but its number instead of the frequency, and
  // whether the next one is the escape; then where it ends and where the next one does.
  static constexpr int kEntryShift = 16;  // 8 bits
  static constexpr uint32_t kNextIsEscapeFlag = uint32_t{1} << 31;
  static constexpr int kEndShift = 32;
  static constexpr int kNextEndShift = 48;

  const uint64_t* image = nullptr;  // null: the set has none
  uint32_t stride = 0;              // words a table
  uint32_t size = 0;                // tables
  int32_t min_symbol = 0;
  int bucket_shift = 0;

  struct Found {
    uint32_t entry;
    uint32_t first, freq;
    bool is_escape;
  };
  Found Find(size_t table, uint32_t slot) const {
    const uint64_t* const words = image + table * stride;
    const uint64_t bucket = words[slot >> bucket_shift];
    const uint32_t entry = (bucket >> kEntryShift) & 0xff;
    const uint32_t end = (bucket >> kEndShift) & 0xffff, next_end = bucket >> kNextEndShift & 0xffff;
    if (slot >= next_end) [[unlikely]]
      return FindFrom(words + kBuckets, entry + 2, slot);
    if (slot >= end) return {entry + 1, end, next_end - end, (bucket & kNextIsEscapeFlag) != 0};
    const uint32_t first = bucket & kFirstSlotMask;
    return {entry, first, end - first, (bucket & kEscapeFlag) != 0};
  }

 private:
  static Found FindFrom(const uint64_t* entries, uint32_t entry, uint32_t slot) {
    for (;; ++entry) {
      const auto word = static_cast<uint32_t>(entries[entry]);
      const uint32_t first = word & kFirstSlotMask, freq = word >> kFreqShift;
      if (slot - first < freq) return {entry, first, freq, (word & kEscapeFlag) != 0};
    }
  }
};

// Fills `image`, which the result points into; without one for a set that has none. `tables` must be valid.
GatherTables BuildGatherTables(std::span<const CdfTable> tables, int precision, std::vector<uint64_t>& image);

}  // namespace strait::rans
