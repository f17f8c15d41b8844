#include "codec/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace strait {

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable wake, done;
  uint64_t round = 0;  // counts the calls of Run
  int busy = 0;        // helpers that have not finished the round
  bool stopping = false;
  Call call = nullptr;
  const void* context = nullptr;
  int64_t jobs = 0;
  std::atomic<int64_t> next{0};
  std::vector<std::thread> helpers;

  void TakeJobs(int worker) {
    for (int64_t job = next.fetch_add(1); job < jobs; job = next.fetch_add(1)) call(context, job, worker);
  }

  void Help(int worker) {
    uint64_t seen = 0;
    for (std::unique_lock lock(mutex);;) {
      wake.wait(lock, [&] { return stopping || round != seen; });
      if (stopping) return;
      seen = round;
      lock.unlock();
      TakeJobs(worker);
      lock.lock();
      if (--busy == 0) done.notify_one();
    }
  }

  void Stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    wake.notify_all();
    for (std::thread& helper : helpers) helper.join();
    helpers.clear();
  }

  ~State() { Stop(); }
};

ThreadPool::ThreadPool(int threads) {
  threads = std::clamp(threads, 1, 64);
  if (threads == 1) return;
  state_ = std::make_unique<State>();
  // A thread that the system refuses is done without.
  try {
    for (int worker = 1; worker < threads; ++worker)
      state_->helpers.emplace_back([state = state_.get(), worker] { state->Help(worker); });
  } catch (const std::system_error&) {
  }
}

ThreadPool::~ThreadPool() = default;
ThreadPool::ThreadPool(ThreadPool&&) noexcept = default;
ThreadPool& ThreadPool::operator=(ThreadPool&&) noexcept = default;

int ThreadPool::threads() const { return state_ ? static_cast<int>(state_->helpers.size()) + 1 : 1; }

void ThreadPool::Run(int64_t jobs, Call call, const void* context) {
  if (!state_ || jobs < 2) {
    for (int64_t job = 0; job < jobs; ++job) call(context, job, 0);
    return;
  }
  {
    const std::lock_guard lock(state_->mutex);
    state_->call = call;
    state_->context = context;
    state_->jobs = jobs;
    state_->next = 0;
    state_->busy = static_cast<int>(state_->helpers.size());
    ++state_->round;
  }
  state_->wake.notify_all();
  state_->TakeJobs(0);
  std::unique_lock lock(state_->mutex);
  state_->done.wait(lock, [&] { return state_->busy == 0; });
}

}  // namespace strait
