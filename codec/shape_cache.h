// The last few shapes seen and what was prepared for each; bounded, so that a sender of ever new shapes cannot
// make a decoder grow.
#pragma once

#include <list>
#include <utility>

#include "strait/result.h"
#include "strait/tensor.h"

namespace strait {

template <typename T>
class ShapeCache {
 public:
  // What is kept for `shape`, made by make() -> Result<T> when missing. Valid until the next call.
  template <typename Make>
  Result<T*> Get(const Shape& shape, const Make& make) {
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (it->first != shape) continue;
      entries_.splice(entries_.begin(), entries_, it);
      return &entries_.front().second;
    }
    Result<T> made = make();
    if (!made.ok()) return made.status();
    if (entries_.size() == kCapacity) entries_.pop_back();
    entries_.emplace_front(shape, std::move(made).value());
    return &entries_.front().second;
  }

 private:
  static constexpr size_t kCapacity = 8;
  std::list<std::pair<Shape, T>> entries_;
};

}  // namespace strait
