#include "codec/rate_control.h"

#include <algorithm>
#include <cmath>

#include "entropy/error.h"

namespace strait {
namespace {

constexpr int kNeighbours = 4;
constexpr size_t kDisorderBytes = 3;  // by which neighbours may be out of order

// Where ln(size) crosses ln(max_bytes) on the line through two codes.
int CrossingOf(double max_bytes, int low, double low_bytes, int high, double high_bytes) {
  const double low_log = std::log(std::max(low_bytes, 1.0)), high_log = std::log(std::max(high_bytes, 1.0));
  if (!(high_log > low_log)) return (low + high) / 2;
  return low + static_cast<int>((std::log(max_bytes) - low_log) / (high_log - low_log) * (high - low));
}

// The last code whose estimate fits, by interpolation between the codes that bracket it; -1 when none does.
Result<int> SearchByEstimates(size_t max_bytes, const RateSearch& search) {
  int fits = -1, too_large = search.max_code + 1;
  double fits_bytes = 0, too_large_bytes = 0;
  int probe = search.max_code;
  for (bool narrow = false; too_large - fits > 1; narrow = !narrow) {
    STRAIT_ASSIGN_OR_RETURN(const size_t bytes, search.estimate(probe));
    if (bytes <= max_bytes) {
      fits = probe;
      fits_bytes = static_cast<double>(bytes);
    } else {
      too_large = probe;
      too_large_bytes = static_cast<double>(bytes);
    }
    // Every other step the larger part may be halved instead: a curve that is no line cannot make the search crawl.
    const int middle = fits + (too_large - fits) / 2;
    if (too_large > search.max_code) {
      probe = middle;
    } else if (fits < 0) {
      probe = 0;
    } else {
      probe = CrossingOf(static_cast<double>(max_bytes), fits, fits_bytes, too_large, too_large_bytes);
      if (narrow && (probe - fits) * 8 < too_large - fits) probe += (too_large - fits) / 8;
    }
    probe = std::clamp(probe, std::min(fits + 1, search.max_code), std::max(too_large - 1, 0));
  }
  return fits;
}

// No code fits by its estimate, so the budget is hopeless or within an estimate's error: look at all.
Result<int> EncodeWithinByScan(size_t max_bytes, const RateSearch& search) {
  size_t smallest = SIZE_MAX;
  for (int code = search.max_code; code >= 0; --code) {
    STRAIT_ASSIGN_OR_RETURN(const size_t bytes, search.estimate(code));
    if (smallest != SIZE_MAX && bytes > smallest + 2 * search.estimate_error) continue;
    STRAIT_ASSIGN_OR_RETURN(const size_t size, search.encode(code));
    if (size <= max_bytes) return code;
    smallest = std::min(smallest, size);
  }
  return Error(StatusCode::kLimitExceeded, "frame: no quality fits max_bytes ", max_bytes,
               "; the smallest frame of this tensor has ", smallest, " bytes");
}

}  // namespace

Result<int> EncodeWithin(size_t max_bytes, const RateSearch& search) {
  STRAIT_ASSIGN_OR_RETURN(const int crossing, SearchByEstimates(max_bytes, search));
  int candidates[kNeighbours];
  int num_candidates = 0;
  for (int code = crossing + 1; code <= std::min(crossing + kNeighbours, search.max_code); ++code) {
    STRAIT_ASSIGN_OR_RETURN(const size_t bytes, search.estimate(code));
    if (bytes > max_bytes + std::max(kDisorderBytes, search.estimate_error)) break;
    if (bytes <= max_bytes + search.estimate_error) candidates[num_candidates++] = code;
  }
  while (num_candidates > 0) {
    const int code = candidates[--num_candidates];
    STRAIT_ASSIGN_OR_RETURN(const size_t size, search.encode(code));
    if (size <= max_bytes) return code;
  }
  for (int code = crossing; code >= 0; --code) {
    STRAIT_ASSIGN_OR_RETURN(const size_t size, search.encode(code));
    if (size <= max_bytes) return code;
  }
  return EncodeWithinByScan(max_bytes, search);
}

}  // namespace strait
