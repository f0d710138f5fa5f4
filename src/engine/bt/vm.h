// Vm: what the vCPUs of one translated machine share.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "base/ints.h"
#include "engine/bt/context.h"
#include "engine/bt/debug.h"
#include "engine/bt/far_links.h"
#include "engine/bt/lapic.h"
#include "engine/cpuid.h"
#include "engine/engine.h"

namespace pileus::engine::bt {

class CodeCache;
class CodePages;
struct Stubs;
namespace stored {
class Store;
}

class Vm final : public guest::WriteObserver {
 public:
  static Result<std::unique_ptr<Vm>> create(const Config& config);
  ~Vm() override;

  const Config& config() const { return config_; }
  const CpuIdentity& cpu() const { return cpu_; }
  guest::GuestMemory& memory() { return *config_.memory; }
  const std::vector<Context*>& contexts() const { return contexts_; }
  Context* context_of(u32 apic_id) const;
  void add_context(Context* context) { contexts_.push_back(context); }
  CodePages& pages() { return *pages_; }
  CodeCache& code() { return *code_; }
  FarLinks& far_links() { return far_links_; }
  BreakFilter& breaks() { return breaks_; }
  const Stubs& stubs() const { return *stubs_; }
  stored::Store* stored() { return stored_.get(); }  // nullptr: translations are not kept

  // Routes an interrupt message to the local APICs it names (x2APIC ids, logical and physical, all, lowest priority).
  void deliver(u32 destination, bool logical, Delivery delivery, u8 vector, bool level);

  // Makes the vCPU look at exit_request soon: out of translated code at its next poll, out of HLT at once. Any thread.
  void wake(Context& context);
  // Sleeps the halted vCPU until wake() or `deadline_ns` (CLOCK_MONOTONIC, 0 = none).
  void sleep(Context& context, u64 deadline_ns);

  // After bytes of RAM were written by whomever: throws away what was translated from them. Any thread.
  void invalidate_code(guest::Gpa address, u64 length);
  // Throws away everything that was translated; the caller is on a vCPU thread.
  void flush_code(Context& self);
  // Makes blocks stop at the breakpoints of all vCPUs; the caller is on a vCPU thread.
  void renew_breaks(Context& self);
  void on_device_write(guest::Gpa address, u64 length) override { invalidate_code(address, length); }

  // Runs `work` while no other vCPU runs guest code or touches its Context. Called on vCPU threads (`self`) in C++
  // code, never with locks held that another vCPU could want before it parks. Afterwards blocks may be gone: compare
  // CodeCache::generation().
  template <typename Work>
  void exclusive(Context& self, Work&& work) {
    begin_exclusive(self);
    work();
    end_exclusive();
  }
  void begin_exclusive(Context& self);
  void end_exclusive();

  // A vCPU thread brackets the time in which it may touch guest state; enter waits while somebody is exclusive.
  void enter_running();
  void leave_running();
  bool exclusive_wanted() const { return exclusive_.load(std::memory_order_relaxed); }

 private:
  explicit Vm(const Config& config);
  void open_stored();
  void forget_jumps();
  // To blocks that are not valid any more. Whoever enters such a block meanwhile sees that for itself.
  void forget_jumps_to(const std::vector<const Block*>& dropped);
  // [0] kernel code, [1] user code
  void forget_jumps_to(unsigned half, std::vector<u64> arrivals);

  const Config config_;
  CpuIdentity cpu_;
  std::vector<Context*> contexts_;
  std::unique_ptr<CodePages> pages_;
  std::unique_ptr<CodeCache> code_;
  std::unique_ptr<Stubs> stubs_;
  std::unique_ptr<stored::Store> stored_;
  FarLinks far_links_{*this};
  BreakFilter breaks_;

  std::mutex mutex_;
  std::condition_variable changed_;
  u32 running_ = 0;  // vCPUs between enter and leave; guarded by mutex_
  std::atomic<bool> exclusive_{false};  // written under mutex_
  std::mutex sleep_mutex_;
  std::condition_variable awake_;
};

}  // namespace pileus::engine::bt
