#include "entropy/cdf_table.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "entropy/error.h"
#include "entropy/escape.h"

namespace strait {
namespace {

constexpr int32_t kMinSymbol = std::numeric_limits<int16_t>::min();
constexpr int32_t kMaxSymbol = std::numeric_limits<int16_t>::max();

// 16 to 32 buckets an entry keep the memory of a set in proportion to the tables it was given (a hostile file
// included); past 1024 buckets (2 KiB) a table costs more in cache misses than it saves in steps.
constexpr uint32_t kBucketsPerEntry = 16;
constexpr uint32_t kMaxBuckets = 1024;

Status CheckPrecision(int precision) {
  if (precision >= kMinPrecision && precision <= kMaxPrecision) return {};
  return Error(StatusCode::kCorrupt, "cdf table: precision ", precision, " is outside [", kMinPrecision, ", ",
               kMaxPrecision, "]");
}

uint32_t NumBuckets(size_t entries, int precision) {
  if (entries == 1) return 1;
  const uint32_t wanted = std::bit_ceil(static_cast<uint32_t>(entries) * kBucketsPerEntry);
  return std::min({wanted, kMaxBuckets, uint32_t{1} << precision});
}

}  // namespace

Status ValidateTable(const CdfTable& table, int precision) {
  STRAIT_RETURN_IF_ERROR(CheckPrecision(precision));
  const size_t values = table.freq.size() - (table.has_escape && !table.freq.empty() ? 1 : 0);
  if (values < 1 || values > size_t{kMaxAlphabet}) {
    return Error(StatusCode::kCorrupt, "cdf table: ", values, " values, want 1 to ", kMaxAlphabet);
  }
  const int64_t max_symbol = int64_t{table.min_symbol} + static_cast<int64_t>(values) - 1;
  if (table.min_symbol < kMinSymbol || max_symbol > kMaxSymbol) {
    return Error(StatusCode::kCorrupt, "cdf table: symbols [", table.min_symbol, ", ", max_symbol,
                 "] pass the range of int16");
  }
  uint64_t sum = 0;
  for (size_t i = 0; i < table.freq.size(); ++i) {
    if (table.freq[i] == 0) {
      return Error(StatusCode::kCorrupt, "cdf table: frequency of entry ", i, " is 0, want at least 1");
    }
    sum += table.freq[i];
  }
  if (sum != uint64_t{1} << precision) {
    return Error(StatusCode::kCorrupt, "cdf table: frequencies sum to ", sum, ", want ", uint64_t{1} << precision);
  }
  return {};
}

Result<CdfTableSet> CdfTableSet::Create(std::vector<CdfTable> tables, int precision) {
  STRAIT_RETURN_IF_ERROR(CheckPrecision(precision));
  CdfTableSet set;
  set.precision_ = precision;
  set.refs_.reserve(tables.size());
  for (size_t i = 0; i < tables.size(); ++i) {
    if (Status status = ValidateTable(tables[i], precision); !status.ok()) {
      return Error(status.code(), status.message(), " (table ", i, " of ", tables.size(), ")");
    }
    set.Append(tables[i]);
  }
  set.tables_ = std::move(tables);
  return set;
}

void CdfTableSet::Append(const CdfTable& table) {
  const uint32_t buckets = NumBuckets(table.freq.size(), precision_);
  Ref ref;
  ref.cum_offset = cum_.size();
  ref.bucket_offset = first_entry_.size();
  ref.bucket_shift = precision_ - (std::bit_width(buckets) - 1);
  ref.min_symbol = table.min_symbol;
  ref.num_values = static_cast<uint32_t>(table.num_values());
  ref.has_escape = table.has_escape;
  refs_.push_back(ref);

  uint32_t begin = 0;
  cum_.push_back(0);
  for (const uint32_t freq : table.freq) {
    begin += freq;
    cum_.push_back(begin);
    cost_bits_.push_back(precision_ - std::log2(freq));
  }
  const uint32_t* const cum = cum_.data() + ref.cum_offset;
  uint16_t entry = 0;
  for (uint32_t bucket = 0; bucket < buckets; ++bucket) {
    while (cum[entry + 1] <= bucket << ref.bucket_shift) ++entry;
    first_entry_.push_back(entry);
  }
}

int32_t CdfTableSet::Clamp(size_t index, int32_t symbol) const {
  const CdfTable& table = tables_[index];
  if (table.has_escape) return std::clamp(symbol, kMinSymbol, kMaxSymbol);
  return std::clamp(symbol, table.min_symbol, table.max_symbol());
}

double CdfTableSet::CostBits(size_t index, int32_t symbol) const {
  const Ref& ref = refs_[index];
  const double* const cost_bits = cost_bits_.data() + (ref.cum_offset - index);
  const auto entry = static_cast<uint32_t>(symbol) - static_cast<uint32_t>(ref.min_symbol);
  if (entry < ref.num_values) return cost_bits[entry];
  if (!ref.has_escape || symbol < kMinSymbol || symbol > kMaxSymbol) return std::numeric_limits<double>::infinity();
  const int32_t max_symbol = ref.min_symbol + static_cast<int32_t>(ref.num_values) - 1;
  return cost_bits[ref.num_values] + EscapeBits(MakeEscape(symbol, ref.min_symbol, max_symbol).distance);
}

}  // namespace strait
