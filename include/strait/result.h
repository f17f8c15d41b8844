// A value or the Status that says why there is none.
#pragma once

#include <cassert>
#include <optional>
#include <utility>

#include "strait/status.h"

namespace strait {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT: implicit by design, so that `return value;` works
  Result(Status status) : status_(std::move(status)) {  // NOLINT: implicit by design
    assert(!status_.ok() && "a Result without a value needs an error");
  }

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  // Precondition: ok().
  T& value() & {
    assert(ok());
    return *value_;
  }
  const T& value() const& {
    assert(ok());
    return *value_;
  }
  T&& value() && {
    assert(ok());
    return *std::move(value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace strait

// Returns the Status of `expr` from the enclosing function unless it is ok.
#define STRAIT_RETURN_IF_ERROR(expr)                                                        \
  do {                                                                                      \
    if (::strait::Status strait_status = (expr); !strait_status.ok()) return strait_status; \
  } while (false)

#define STRAIT_CONCAT_INNER(a, b) a##b
#define STRAIT_CONCAT(a, b) STRAIT_CONCAT_INNER(a, b)
#define STRAIT_ASSIGN_OR_RETURN_INNER(result, lhs, expr) \
  auto result = (expr);                                  \
  if (!result.ok()) return result.status();              \
  lhs = std::move(result).value()

// Declares or assigns `lhs` from the Result `expr`, or returns its Status.
#define STRAIT_ASSIGN_OR_RETURN(lhs, expr) \
  STRAIT_ASSIGN_OR_RETURN_INNER(STRAIT_CONCAT(strait_result_, __LINE__), lhs, expr)
