#include "codec/rate_control.h"

#include <algorithm>

#include "entropy/error.h"

namespace strait {
namespace {

using Encode = std::function<Result<size_t>(int)>;

constexpr int kNeighbours = 4;

// Even the lowest quality is too large, so sizes are out of order or the budget is hopeless: look at all codes.
Result<int> EncodeWithinByScan(size_t max_bytes, int max_code, size_t lowest, const Encode& encode) {
  size_t smallest = lowest;
  for (int code = max_code; code >= 1; --code) {
    STRAIT_ASSIGN_OR_RETURN(const size_t size, encode(code));
    if (size <= max_bytes) return code;
    smallest = std::min(smallest, size);
  }
  return Error(StatusCode::kLimitExceeded, "frame: no quality fits max_bytes ", max_bytes,
               "; the smallest frame of this tensor has ", smallest, " bytes");
}

}  // namespace

Result<int> EncodeWithin(size_t max_bytes, int max_code, const Encode& encode) {
  STRAIT_ASSIGN_OR_RETURN(const size_t lowest, encode(0));
  if (lowest > max_bytes) return EncodeWithinByScan(max_bytes, max_code, lowest, encode);
  int fits = 0, too_large = max_code + 1, last = 0;
  while (too_large - fits > 1) {
    const int middle = fits + (too_large - fits + 1) / 2;
    STRAIT_ASSIGN_OR_RETURN(const size_t size, encode(middle));
    (size <= max_bytes ? fits : too_large) = last = middle;
  }
  for (int code = too_large + 1; code <= std::min(too_large + kNeighbours, max_code); ++code) {
    STRAIT_ASSIGN_OR_RETURN(const size_t size, encode(last = code));
    if (size <= max_bytes) fits = code;
  }
  if (last != fits) STRAIT_RETURN_IF_ERROR(encode(fits).status());
  return fits;
}

}  // namespace strait
