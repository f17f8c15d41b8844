// Threads that share the jobs of one call and sleep in between. One caller at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace strait {

class ThreadPool {
 public:
  // `threads` with the caller's, clamped to 1..64; 1 starts none.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(ThreadPool&&) noexcept;
  ThreadPool& operator=(ThreadPool&&) noexcept;

  int threads() const;

  // body(job, worker) for each job of [0, jobs), in any order, on workers [0, threads()); returns when all are
  // done. `body` does not throw. Allocates nothing.
  template <typename Body>
  void For(int64_t jobs, const Body& body) {
    const auto call = [](const void* context, int64_t job, int worker) {
      (*static_cast<const Body*>(context))(job, worker);
    };
    Run(jobs, call, &body);
  }

 private:
  using Call = void (*)(const void* context, int64_t job, int worker);
  void Run(int64_t jobs, Call call, const void* context);

  struct State;
  std::unique_ptr<State> state_;  // null for one thread
};

}  // namespace strait
