// Ctrl-C and SIGTERM, counted.
#pragma once

#include <atomic>

namespace pileus::cli {

// From now on SIGINT, SIGTERM and SIGHUP end nothing: they set interrupted() and are counted.
void catch_interrupts();
const std::atomic<bool>& interrupted();
int interrupt_count();

}  // namespace pileus::cli
