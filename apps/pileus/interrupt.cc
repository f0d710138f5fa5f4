#include "interrupt.h"

#include <signal.h>

namespace pileus::cli {
namespace {

std::atomic<bool> was_interrupted{false};
std::atomic<int> count{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

extern "C" void on_interrupt(int) {
  was_interrupted.store(true);
  count.fetch_add(1);
}

}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = on_interrupt;  // no SA_RESTART: waits are to end
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
}

const std::atomic<bool>& interrupted() { return was_interrupted; }
int interrupt_count() { return count.load(); }

}  // namespace pileus::cli
