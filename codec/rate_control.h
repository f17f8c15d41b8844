// Finds the best quality whose frame fits a size.
#pragma once

#include <cstddef>
#include <functional>

#include "strait/result.h"

namespace strait {

// Calls that rate control makes, of quality codes of [0, max_code].
struct RateSearch {
  int max_code = 0;
  // Size of a code's frame from its cost before it is rounded up, cheaply.
  std::function<Result<double>(int)> estimate;
  // How many bytes a frame may be smaller than its estimate.
  double error = 0;
  // Makes a code's frame and returns its size.
  std::function<Result<size_t>(int)> encode;
};

// Returns the highest code found whose frame has at most max_bytes, and has made that frame last. It is the highest
// of all where sizes grow with quality; where neighbours are out of order, codes up to four above are tried while
// their estimates are near. Errors: those of the calls; kLimitExceeded, naming the smallest size of any code, when
// none fits.
Result<int> EncodeWithin(size_t max_bytes, const RateSearch& search);

}  // namespace strait
