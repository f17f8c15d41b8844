// Finds the best quality whose frame fits a size.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "strait/result.h"

namespace strait {

// `encode` makes the real frame of a quality code of [0, max_code]. Returns the frame of the highest code found
// whose size is at most max_bytes: exact where size grows with quality; where neighbours are out of order, up to
// kNeighbours codes above the crossing are tried as well. Errors: those of `encode`; kLimitExceeded, naming the
// smallest size of any code, when no code fits.
Result<std::vector<uint8_t>> EncodeWithin(size_t max_bytes, int max_code,
                                          const std::function<Result<std::vector<uint8_t>>(int)>& encode);

}  // namespace strait
