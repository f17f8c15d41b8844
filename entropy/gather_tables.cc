#include "entropy/gather_tables.h"

#include <algorithm>

#include "entropy/cdf_table.h"

namespace strait::rans {

GatherTables BuildGatherTables(std::span<const CdfTable> tables, int precision, std::vector<uint64_t>& image) {
  GatherTables gather;
  if (tables.empty() || tables.size() > kMaxGatherTables || precision > kMaxKernelPrecision) return gather;
  int64_t least = tables[0].min_symbol, end = least;
  for (const CdfTable& table : tables) {
    least = std::min<int64_t>(least, table.min_symbol);
    end = std::max(end, table.min_symbol + static_cast<int64_t>(table.freq.size()));
  }
  if (end - least > kMaxGatherEntries) return gather;

  gather.stride = GatherTables::kBuckets + static_cast<uint32_t>(end - least);
  gather.size = static_cast<uint32_t>(tables.size());
  gather.min_symbol = static_cast<int32_t>(least);
  gather.bucket_shift = precision - GatherTables::kBucketBits;
  image.assign(tables.size() * gather.stride, 0);
  gather.image = image.data();
  uint64_t* words = image.data();
  for (const CdfTable& table : tables) {
    const auto first_entry = static_cast<uint32_t>(table.min_symbol - least);
    uint64_t* const entries = words + GatherTables::kBuckets + first_entry;
    const auto escape_flag = [&](size_t e, uint32_t flag) {
      return table.has_escape && e + 1 == table.freq.size() ? flag : 0;
    };
    uint32_t first = 0, bucket = 0;
    for (size_t e = 0; e < table.freq.size(); ++e) {
      const uint32_t entry_end = first + table.freq[e], word = first | escape_flag(e, GatherTables::kEscapeFlag);
      const uint32_t next_end = entry_end + (e + 1 < table.freq.size() ? table.freq[e + 1] : 0);
      entries[e] = table.freq[e] << GatherTables::kFreqShift | word;
      for (; bucket < GatherTables::kBuckets && bucket << gather.bucket_shift < entry_end; ++bucket) {
        words[bucket] = word | escape_flag(e + 1, GatherTables::kNextIsEscapeFlag) |
                        (first_entry + static_cast<uint32_t>(e)) << GatherTables::kEntryShift |
                        uint64_t{entry_end} << GatherTables::kEndShift |
                        uint64_t{next_end} << GatherTables::kNextEndShift;
      }
      first = entry_end;
    }
    words += gather.stride;
  }
  return gather;
}

}  // namespace strait::rans
