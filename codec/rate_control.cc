#include "codec/rate_control.h"

#include <algorithm>

#include "entropy/error.h"

namespace strait {
namespace {

using Frame = std::vector<uint8_t>;
using Encode = std::function<Result<Frame>(int)>;

constexpr int kNeighbours = 4;

// Even the lowest quality is too large, so sizes are out of order or the budget is hopeless: look at all codes.
Result<Frame> EncodeWithinByScan(size_t max_bytes, int max_code, const Frame& lowest, const Encode& encode) {
  size_t smallest = lowest.size();
  for (int code = max_code; code >= 1; --code) {
    STRAIT_ASSIGN_OR_RETURN(Frame frame, encode(code));
    if (frame.size() <= max_bytes) return frame;
    smallest = std::min(smallest, frame.size());
  }
  return Error(StatusCode::kLimitExceeded, "frame: no quality fits max_bytes ", max_bytes,
               "; the smallest frame of this tensor has ", smallest, " bytes");
}

}  // namespace

Result<Frame> EncodeWithin(size_t max_bytes, int max_code, const Encode& encode) {
  STRAIT_ASSIGN_OR_RETURN(Frame best, encode(0));
  if (best.size() > max_bytes) return EncodeWithinByScan(max_bytes, max_code, best, encode);
  int fits = 0, too_large = max_code + 1;
  while (too_large - fits > 1) {
    const int middle = fits + (too_large - fits + 1) / 2;
    STRAIT_ASSIGN_OR_RETURN(Frame frame, encode(middle));
    if (frame.size() <= max_bytes) {
      fits = middle;
      best = std::move(frame);
    } else {
      too_large = middle;
    }
  }
  for (int code = too_large + 1; code <= std::min(too_large + kNeighbours, max_code); ++code) {
    STRAIT_ASSIGN_OR_RETURN(Frame frame, encode(code));
    if (frame.size() <= max_bytes) best = std::move(frame);
  }
  return best;
}

}  // namespace strait
