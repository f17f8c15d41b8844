// SIGINT and SIGTERM as a question long loops ask, so that a run ends at a point where nothing is lost.
#pragma once

namespace strait {

// While one lives the signals do not end the process; Interrupted() says whether one has come. One at a time.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

 private:
  void (*old_int_)(int);
  void (*old_term_)(int);
};

bool Interrupted();

}  // namespace strait
