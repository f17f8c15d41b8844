#include "entropy/cdf_table.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "entropy/error.h"
#include "entropy/escape.h"

namespace strait {
namespace {

int64_t MinSymbol(int symbol_bits) { return -(int64_t{1} << (symbol_bits - 1)); }
int64_t MaxSymbol(int symbol_bits) { return (int64_t{1} << (symbol_bits - 1)) - 1; }

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

// Of the image that kernels read; none without a depth.
size_t ImageWords(int depth) {
  return depth == 0 ? 0 : rans::kNumKernelSections * rans::KernelTable::SectionWords(depth);
}

}  // namespace

Status ValidateTable(const CdfTable& table, int precision, int symbol_bits) {
  STRAIT_RETURN_IF_ERROR(CheckPrecision(precision));
  const size_t values = table.freq.size() - (table.has_escape && !table.freq.empty() ? 1 : 0);
  if (values < 1 || values > size_t{kMaxAlphabet}) {
    return Error(StatusCode::kCorrupt, "cdf table: ", values, " values, want 1 to ", kMaxAlphabet);
  }
  const int64_t max_symbol = int64_t{table.min_symbol} + static_cast<int64_t>(values) - 1;
  if (table.min_symbol < MinSymbol(symbol_bits) || max_symbol > MaxSymbol(symbol_bits)) {
    return Error(StatusCode::kCorrupt, "cdf table: symbols [", table.min_symbol, ", ", max_symbol,
                 "] pass the range of int", symbol_bits);
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

Result<CdfTableSet> CdfTableSet::Create(std::vector<CdfTable> tables, int precision, int symbol_bits) {
  STRAIT_RETURN_IF_ERROR(CheckPrecision(precision));
  if (symbol_bits != 8 && symbol_bits != 16 && symbol_bits != 32) {
    return Error(StatusCode::kInvalidArgument, "cdf table: symbols of ", symbol_bits, " bits, want 8, 16 or 32");
  }
  CdfTableSet set;
  set.precision_ = precision;
  set.symbol_bits_ = symbol_bits;
  for (size_t i = 0; i < tables.size(); ++i) {
    if (Status status = ValidateTable(tables[i], precision, symbol_bits); !status.ok()) {
      return Error(status.code(), status.message(), " (table ", i, " of ", tables.size(), ")");
    }
    set.Append(tables[i]);
  }

  // Once nothing moves any more.
  const uint32_t* cum = set.cum_.data();
  const float* cost_bits = set.cost_bits_.data();
  const uint16_t* first_entry = set.first_entry_.data();
  const uint16_t* image = set.kernel_images_.data();
  for (size_t i = 0; i < tables.size(); ++i) {
    TableView& view = set.views_[i];
    view.cum = cum;
    view.cost_bits = cost_bits;
    view.first_entry = first_entry;
    view.kernel.image = image;
    cum += tables[i].freq.size() + 1;
    cost_bits += tables[i].freq.size();
    first_entry += size_t{1} << (precision - view.bucket_shift);
    image += ImageWords(view.kernel.depth);
  }
  set.tables_ = std::move(tables);
  return set;
}

void CdfTableSet::Append(const CdfTable& table) {
  const uint32_t buckets = NumBuckets(table.freq.size(), precision_);
  TableView view = {};
  view.min_symbol = table.min_symbol;
  view.num_values = static_cast<uint32_t>(table.num_values());
  view.bucket_shift = precision_ - (std::bit_width(buckets) - 1);
  view.has_escape = table.has_escape;
  view.is_certain = table.freq.size() == 1;
  view.kernel.depth = rans::KernelDepth(table.freq.size(), precision_);
  view.kernel.num_values = static_cast<uint16_t>(view.num_values);
  view.kernel.has_escape = table.has_escape;

  const size_t first_cum = cum_.size();
  uint32_t begin = 0;
  cum_.push_back(0);
  for (const uint32_t freq : table.freq) {
    begin += freq;
    cum_.push_back(begin);
    cost_bits_.push_back(static_cast<float>(std::round((precision_ - std::log2(freq)) * 1024) / 1024));
  }
  const uint32_t* const cum = cum_.data() + first_cum;
  const auto top = std::ranges::max_element(table.freq);
  view.top_entry = static_cast<uint32_t>(top - table.freq.begin());
  view.top_first = cum[view.top_entry];
  view.top_freq = *top;
  views_.push_back(view);

  uint16_t entry = 0;
  for (uint32_t bucket = 0; bucket < buckets; ++bucket) {
    while (cum[entry + 1] <= bucket << view.bucket_shift) ++entry;
    first_entry_.push_back(entry);
  }

  if (view.kernel.depth == 0) return;
  const size_t first_word = kernel_images_.size();
  kernel_images_.resize(first_word + ImageWords(view.kernel.depth));
  rans::BuildKernelImage(cum, table.freq.size(), view.kernel.depth, kernel_images_.data() + first_word);
}

void CdfTableSet::AddGatherTables() { gather_ = rans::BuildGatherTables(tables_, precision_, gather_image_); }

int32_t CdfTableSet::Clamp(size_t index, int32_t symbol) const {
  const CdfTable& table = tables_[index];
  if (!table.has_escape) return std::clamp(symbol, table.min_symbol, table.max_symbol());
  return static_cast<int32_t>(std::clamp<int64_t>(symbol, MinSymbol(symbol_bits_), MaxSymbol(symbol_bits_)));
}

double CdfTableSet::CostBits(size_t index, int32_t symbol) const {
  const TableView& view = views_[index];
  const auto entry = static_cast<uint32_t>(symbol) - static_cast<uint32_t>(view.min_symbol);
  if (entry < view.num_values) return view.cost_bits[entry];
  if (!view.has_escape || symbol < MinSymbol(symbol_bits_) || symbol > MaxSymbol(symbol_bits_)) {
    return std::numeric_limits<double>::infinity();
  }
  const int32_t max_symbol = view.max_symbol();
  const Escape escape = MakeEscape(symbol, view.min_symbol, max_symbol);
  return view.cost_bits[view.num_values] + EscapeBits(escape.distance, MaxEscapeExponent(symbol_bits_));
}

}  // namespace strait
