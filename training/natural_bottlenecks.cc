#include "training/natural_bottlenecks.h"

#include <algorithm>

namespace strait {
namespace {

// Behind the last of the splits with as many elements as the first.
size_t EndOfRun(const std::vector<SplitInfo>& splits, size_t first) {
  size_t end = first + 1;
  while (end < splits.size() && splits[end].elements == splits[first].elements) ++end;
  return end;
}

}  // namespace

std::vector<NaturalMark> MarkNaturalBottlenecks(const std::vector<SplitInfo>& splits, const Shape& input_shape) {
  constexpr int64_t kFloatBytes = 4;
  const int64_t input_elements = NumElements(input_shape);
  std::vector<NaturalMark> marks(splits.size());
  for (size_t i = 0; i < splits.size(); ++i) {
    marks[i].compression_ratio =
        static_cast<double>(input_elements) / static_cast<double>(kFloatBytes * splits[i].elements);
  }
  int64_t fewest = input_elements;
  for (size_t first = 0; first < splits.size();) {
    const size_t end = EndOfRun(splits, first);
    const int64_t elements = splits[first].elements;
    if (elements < fewest) {
      fewest = elements;
      const auto module = std::find_if(splits.begin() + first, splits.begin() + end,
                                       [](const SplitInfo& split) { return split.is_module_output; });
      const size_t chosen = module == splits.begin() + end ? first : module - splits.begin();
      marks[chosen].by_elements = true;
      marks[chosen].by_bytes = kFloatBytes * elements < input_elements;
    }
    first = end;
  }
  return marks;
}

}  // namespace strait
