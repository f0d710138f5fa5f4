// Sampler: a profile of what the vCPUs do. A thread sends each vCPU's thread a signal once in a period; its handler notes
// where that was and what it had to do with guest code, and the sampler's thread finds out afterwards what that means.
// While nobody samples, all that is left of it is Context::activity, one byte that is written on the ways out of
// translated code.
//
// Callers are known by the return stack (return_stack.h), which foresees returns but does not promise them: tasks that
// the guest's kernel switches between share it. So a call counts only when its return address is on the guest's stack,
// too, in the same order.
#pragma once

#include <ucontext.h>
#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "engine/bt/context.h"
#include "engine/profile.h"

namespace pileus::engine::bt {

class Vm;
struct Block;

// What a handler writes down.
struct RawSample {
  static constexpr unsigned kCalls = 24, kWords = 256;
  struct Call {
    u64 host;  // behind the host CALL
    u64 vpage;  // of the guest's
  };
  u64 pc;  // of the host
  u64 generation;  // of the code cache
  u64 rip;
  u64 vpage;
  u64 site;  // a Site's address, or 0
  u8 activity;
  bool user;
  unsigned calls, words;
  std::array<Call, kCalls> call;  // innermost first
  std::array<u64, kWords> word;  // of the guest's stack, from RSP up
};

// One vCPU's samples, from its thread to the sampler's.
struct SampleRing {
  static constexpr u64 kSlots = 16;
  std::array<RawSample, kSlots> slot;
  std::atomic<u64> head{0};  // samples written
  std::atomic<u64> tail{0};  // samples read
  std::atomic<u64> lost{0};
};

// In the signal's handler, on the vCPU's thread.
void take_sample(Context& context, const greg_t* registers);

class Sampler {
 public:
  explicit Sampler(Vm& vm) : vm_(vm) {}
  ~Sampler() { stop(); }
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  // kBusy when it samples already. Any thread, one at a time.
  Result<> start(u64 period_ns);
  // What was found since then; nothing when it does not sample.
  Profile stop();

 private:
  using Key = std::tuple<Activity, bool, std::vector<u64>>;

  void loop();
  void drain(SampleRing& ring);
  Key resolve(const RawSample& raw) const;
  void count(Key key);

  Vm& vm_;
  u64 period_ns_ = 0;
  std::vector<std::unique_ptr<SampleRing>> rings_;  // one for each vCPU
  std::map<Key, u64> counts_;  // the sampler's thread's, while there is one
  u64 samples_ = 0;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;  // guarded by mutex_
};

}  // namespace pileus::engine::bt
