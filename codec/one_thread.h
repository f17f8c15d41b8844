// Limits OpenMP to one thread while in scope, on the calling thread only, and restores its setting.
// oneDNN in Debian takes its threads from OpenMP; a runtime that is one of many in a server must not take them all.
#pragma once

#include <omp.h>

namespace strait {

class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace strait
