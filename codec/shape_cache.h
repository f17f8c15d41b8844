// The last few shapes seen and what was prepared for each; bounded in number and, for what says how large it is, in
// elements, so that a sender of ever new shapes cannot make a decoder grow.
#pragma once

#include <cstdint>
#include <list>
#include <utility>

#include "strait/result.h"
#include "strait/tensor.h"

namespace strait {

template <typename T>
class ShapeCache {
 public:
  // What is kept for `shape`, made by make() -> Result<T> when missing. Valid until the next call. All that is kept
  // has at most `max_elements` together, unless one alone has more.
  template <typename Make>
  Result<T*> Get(const Shape& shape, int64_t max_elements, const Make& make) {
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (it->first != shape) continue;
      entries_.splice(entries_.begin(), entries_, it);
      return &entries_.front().second;
    }
    // Room is made before: a large entry that goes and one that comes never stand side by side.
    const int64_t incoming = NumElements(shape);
    while (!entries_.empty() && (entries_.size() >= kCapacity || Elements() > max_elements - incoming))
      entries_.pop_back();
    Result<T> made = make();
    if (!made.ok()) return made.status();
    const int64_t elements = ElementsOf(*made);
    while (!entries_.empty() && Elements() > max_elements - elements) entries_.pop_back();
    entries_.emplace_front(shape, std::move(made).value());
    return &entries_.front().second;
  }

 private:
  static constexpr size_t kCapacity = 8;

  static int64_t ElementsOf(const T& value) {
    if constexpr (requires { value.num_elements(); }) return value.num_elements();
    return 0;
  }
  int64_t Elements() const {
    int64_t sum = 0;
    for (const auto& entry : entries_) sum += ElementsOf(entry.second);
    return sum;
  }

  std::list<std::pair<Shape, T>> entries_;
};

}  // namespace strait
