// KvmVcpu: one vCPU of KVM: its run loop, and its state in and out.
#pragma once

#include <linux/kvm.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "engine/engine.h"
#include "engine/kvm/debug.h"
#include "engine/kvm/sampler.h"
#include "engine/kvm/state_format.h"
#include "engine/kvm/vm.h"
#include "os/fd.h"
#include "os/mapping.h"

namespace pileus::engine::kvm {

// Why the guest was left, how often; written by the vCPU's thread, read by any.
struct ExitCounts {
  std::atomic<u64> port{0}, mmio{0}, eoi{0}, signal{0}, dirty_ring{0}, other{0};
};

class KvmVcpu final : public Vcpu, public Sampled {
 public:
  static Result<std::unique_ptr<KvmVcpu>> create(Vm& vm, u32 id, Sampler& sampler);

  Exit run() override;
  void kick() override;
  CpuState state() const override;
  Result<> set_state(const CpuState& state) override;
  Result<> set_debug(const DebugSettings& settings) override;

  void sample() override;
  // The legacy controller's wire, of the first vCPU. Any thread.
  void set_ext_int(bool level);
  const ExitCounts& exits() const { return exits_; }

 private:
  KvmVcpu(Vm& vm, u32 id, Sampler& sampler, os::Fd file, os::Mapping mapping);
  int fd() const { return file_.get(); }
  kvm_run& shared() const { return *cast_run(mapping_.data()); }
  static kvm_run* cast_run(u8* bytes) { return static_cast<kvm_run*>(static_cast<void*>(bytes)); }

  Result<> set_up();
  void arm();
  void interrupt_run();
  void signal_thread();
  Result<> offer_ext_int();
  void enter_thread();
  void leave_thread();
  // Nothing: the guest may go on.
  std::optional<Exit> handle_exit();
  std::optional<Exit> settle();
  void take_sample();
  void handle_port();
  void handle_mmio();
  Exit internal_error() const;

  void save_registers(CpuState* out) const;
  void save_system_registers(CpuState* out) const;
  void save_vectors(CpuState* out) const;
  void save_msrs(CpuState* out) const;
  void save_events(CpuState* out) const;
  LapicState save_lapic(const LapicClock& clock) const;
  LapicClock lapic_clock() const;
  u64 read_msr(u32 index) const;
  u64 guest_ns(u64 tsc) const;
  Result<> load_registers(const CpuState& in);
  Result<> load_system_registers(const CpuState& in);
  Result<> load_vectors(const CpuState& in);
  Result<> load_lapic(const CpuState& in);
  Result<> load_tsc(u64 tsc);
  Result<> load_msrs(const CpuState& in);
  Result<> load_msr(u32 index, u64 value);
  Result<> load_events(const CpuState& in);
  Result<> load_run_state(RunState state);
  Result<> load_debug();

  Vm& vm_;
  const u32 id_;
  Sampler& sampler_;
  os::Fd file_;
  os::Mapping mapping_;  // a kvm_run, then what KVM passes through it
  GuestDebug debug_;
  u64 tsc_khz_ = 0;
  bool shut_down_ = false;  // after a triple fault, until a new state is set
  u64 timer_due_ns_ = 0;    // LapicState::timer_initial_ns when the guest was left or a state was set

  std::atomic<bool> kicked_{false};
  std::atomic<bool> ext_int_{false};
  std::atomic<bool> sample_wanted_{false};
  std::atomic<bool> in_device_{false};
  std::mutex thread_mutex_;
  bool running_ = false;  // guarded by thread_mutex_
  pthread_t thread_{};    // that is in run(); guarded by thread_mutex_
  ExitCounts exits_;
};

}  // namespace pileus::engine::kvm
