#include "codec/rate_control.h"

#include <algorithm>
#include <cmath>

#include "entropy/error.h"

namespace strait {
namespace {

// By how much neighbours may be out of order: noise in small frames, a step where one table set ends and the next
// begins in larger ones.
constexpr int kNeighbours = 4;
constexpr double kDisorderBytes = 3, kDisorder = 0.03;
constexpr double kRounding = 3;  // bytes by which frames are mostly larger than their estimates, at most

// Growth of ln(bytes) from code to code before two are known: a level of twice the gain is about twice the bytes.
constexpr double kUsualSlope = 0.04;

struct Crossing {
  int fits = -1;           // the last code whose estimate fits, -1 when none does
  double bytes_above = 0;  // estimate of the code after it, where there is one
};

// The crossing of estimates and budget: secants through the latest two codes on a logarithmic scale, held between
// the codes that are known to fit and not to; a half after a secant that did not halve what lies between.
Result<Crossing> SearchByEstimates(double max_bytes, const RateSearch& search) {
  int fits = -1, too_large = search.max_code + 1;
  int code = search.max_code / 2, last_code = -1;
  double last_log = 0, bytes_above = 0;
  for (int probes = 1; too_large - fits > 1; ++probes) {
    const int width = too_large - fits;
    STRAIT_ASSIGN_OR_RETURN(const double bytes, search.estimate(code));
    if (bytes <= max_bytes) {
      fits = code;
    } else {
      too_large = code;
      bytes_above = bytes;
    }
    const double log = std::log(std::max(bytes, 1.0));
    double slope = last_code < 0 ? kUsualSlope : (log - last_log) / (code - last_code);
    if (!(slope > 0)) slope = kUsualSlope;
    last_code = code;
    last_log = log;
    const double crossing = code + (std::log(std::max(max_bytes, 1.0)) - log) / slope;
    if (probes > 2 && 2 * (too_large - fits) > width) {
      code = fits + (too_large - fits) / 2;
    } else {
      code = static_cast<int>(std::clamp(std::floor(crossing), fits + 1.0, too_large - 1.0));
    }
  }
  return Crossing{fits, bytes_above};
}

// No code fits by its estimate: the budget is hopeless or within an estimate's error. Only the frames that may fit
// or may be the smallest are made.
Result<int> EncodeWithinByScan(size_t max_bytes, const RateSearch& search) {
  double least = INFINITY;
  for (int code = 0; code <= search.max_code; ++code) {
    STRAIT_ASSIGN_OR_RETURN(const double bytes, search.estimate(code));
    least = std::min(least, bytes);
  }
  size_t smallest = SIZE_MAX;
  for (int code = search.max_code; code >= 0; --code) {
    STRAIT_ASSIGN_OR_RETURN(const double bytes, search.estimate(code));
    const bool may_fit = bytes <= static_cast<double>(max_bytes) + search.error;
    const bool may_be_smallest = bytes <= least + kRounding + search.error;
    if (!may_fit && !may_be_smallest) continue;
    STRAIT_ASSIGN_OR_RETURN(const size_t size, search.encode(code));
    if (size <= max_bytes) return code;
    smallest = std::min(smallest, size);
  }
  return Error(StatusCode::kLimitExceeded, "frame: no quality fits max_bytes ", max_bytes,
               "; the smallest frame of this tensor has ", smallest, " bytes");
}

}  // namespace

Result<int> EncodeWithin(size_t max_bytes, const RateSearch& search) {
  const auto budget = static_cast<double>(max_bytes);
  STRAIT_ASSIGN_OR_RETURN(const Crossing crossing, SearchByEstimates(budget, search));
  int candidates[kNeighbours];
  int num_candidates = 0;
  for (int code = crossing.fits + 1; code <= std::min(crossing.fits + kNeighbours, search.max_code); ++code) {
    double bytes = crossing.bytes_above;
    if (code > crossing.fits + 1) {
      STRAIT_ASSIGN_OR_RETURN(bytes, search.estimate(code));
    }
    if (bytes > budget + std::max(kDisorderBytes + kDisorder * budget, search.error)) break;
    if (bytes <= budget + search.error) candidates[num_candidates++] = code;
  }
  while (num_candidates > 0) {
    const int code = candidates[--num_candidates];
    STRAIT_ASSIGN_OR_RETURN(const size_t size, search.encode(code));
    if (size <= max_bytes) return code;
  }
  for (int code = crossing.fits; code >= 0; --code) {
    STRAIT_ASSIGN_OR_RETURN(const size_t size, search.encode(code));
    if (size <= max_bytes) return code;
  }
  return EncodeWithinByScan(max_bytes, search);
}

}  // namespace strait
