// BareProcessor: runs user-level code on the processor that the tests run on, in a forked process with the arena at its
// fixed addresses.
//
// Code is entered and left by way of signal frames: a handler puts the wanted registers into the frame that it returns
// through, and the exception that ends the code (#GP at the OUT, or whatever it raised) delivers all registers again.
// So nothing but the kernel's signal delivery stands between the test and the processor.
#pragma once

#include <sys/types.h>

#include <memory>

#include "base/result.h"
#include "os/mapping.h"
#include "user_state.h"

namespace pileus::cpu_test {

class BareProcessor {
 public:
  // Forks: before the caller has threads that hold locks which the child could want (it wants none of malloc's).
  static Result<std::unique_ptr<BareProcessor>> create();
  ~BareProcessor();
  BareProcessor(const BareProcessor&) = delete;
  BareProcessor& operator=(const BareProcessor&) = delete;

  // The arena's bytes, shared with the process; to be filled before start() and read after finish().
  u8* arena();
  // start() and finish() are apart so that an engine can work on the same case meanwhile.
  void start(const UserState& state);
  Outcome finish(int limit_ms);  // of the process's own time, however busy the machine is

 private:
  explicit BareProcessor(os::Mapping shared) : shared_(std::move(shared)) {}
  Result<> fork_worker();
  void stop_worker();
  bool await_answer(int limit_ms);

  os::Mapping shared_;  // an Exchange (bare_processor.cc), then the arena
  int memory_ = -1;  // what it maps, for the process to map at its addresses
  pid_t worker_ = -1;
  int to_worker_ = -1;
  int from_worker_ = -1;
};

}  // namespace pileus::cpu_test
