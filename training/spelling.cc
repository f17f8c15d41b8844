#include "training/spelling.h"

#include <algorithm>
#include <utility>

namespace strait {
namespace {

std::string_view LeafOf(std::string_view name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

std::string NearestName(std::string_view unknown, const std::vector<std::string>& names) {
  const std::string* best = nullptr;
  size_t best_distance = std::max<size_t>(2, unknown.size() / 3) + 1;
  for (const std::string& name : names) {
    const size_t leaf_distance =
        EditDistance(LeafOf(unknown), LeafOf(name)) + (LeafOf(unknown) == LeafOf(name) ? 1 : 2);
    const size_t distance = std::min(EditDistance(unknown, name), leaf_distance);
    if (distance < best_distance) {
      best = &name;
      best_distance = distance;
    }
  }
  return best == nullptr ? "" : *best;
}

}  // namespace strait
