// Finds the best quality whose frame fits a size.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "strait/result.h"

namespace strait {

// `encode` makes the frame of a quality code of [0, max_code] and returns its size. Returns the highest code found
// whose size is at most max_bytes, after encoding it last: exact where size grows with quality; where neighbours are
// out of order, up to kNeighbours codes above the crossing are tried as well. Errors: those of `encode`;
// kLimitExceeded, naming the smallest size of any code, when no code fits.
Result<int> EncodeWithin(size_t max_bytes, int max_code, const std::function<Result<size_t>(int)>& encode);

}  // namespace strait
