#include "training/interrupt.h"

#include <csignal>

namespace strait {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;

void Handle(int) { g_interrupted = 1; }

}  // namespace

InterruptScope::InterruptScope() {
  g_interrupted = 0;
  old_int_ = std::signal(SIGINT, Handle);
  old_term_ = std::signal(SIGTERM, Handle);
}

InterruptScope::~InterruptScope() {
  std::signal(SIGINT, old_int_);
  std::signal(SIGTERM, old_term_);
}

bool Interrupted() { return g_interrupted != 0; }

}  // namespace strait
