// Lapic: one local APIC, x2APIC and xAPIC register views, with the TSC-deadline, one-shot and periodic timer.
// Intel SDM vol. 3, chapter 11.
//
// post() and set_ext_int() may be called by any thread; everything else by the vCPU's thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <optional>

#include "base/ints.h"
#include "engine/cpu_state.h"

namespace pileus::engine::bt {

struct Context;

enum class Delivery : u8 { kFixed = 0, kLowest = 1, kSmi = 2, kNmi = 4, kInit = 5, kStartup = 6, kExtInt = 7 };

class Lapic {
 public:
  explicit Lapic(Context& context) : context_(context) {}

  // From any thread: sets the vector's IRR (and TMR when level-triggered), or records NMI/INIT/SIPI, then asks the
  // vCPU to look (Vm::wake).
  void post(Delivery delivery, u8 vector, bool level);

  // The highest interrupt that may be delivered now (priority over PPR, APIC enabled), without taking it.
  std::optional<u8> pending() const;
  // The legacy controller's request, where LINT0 lets it pass; it comes before pending().
  bool ext_int_pending() const;
  void set_ext_int(bool level);  // any thread

  void accept(u8 vector);  // IRR -> ISR; sets up PV EOI when the guest offers it
  void eoi();
  // PV EOI: the guest may have ended the interrupt by clearing its flag in memory; called before pending().
  void sync_pv_eoi();
  // The offer ends: save() tells the truth from then on, whoever goes on with the guest.
  void withdraw_pv_eoi();

  // Register by x2APIC number (MSR - 0x800). False: #GP. xAPIC MMIO at 0xFEE00000 comes here too (offset >> 4).
  bool read(u32 reg, u64* value);
  bool write(u32 reg, u64 value);

  u64 base_msr() const { return base_msr_; }
  bool set_base_msr(u64 value);
  u64 tsc_deadline() const { return tsc_deadline_; }
  void set_tsc_deadline(u64 value);
  u8 task_priority() const;
  void set_task_priority(u8 value);  // CR8 << 4

  // Fires the timer if it is due, and says when it wants to be looked at next, in host CLOCK_MONOTONIC nanoseconds.
  std::optional<u64> run_timer(u64 now_ns);

  // Taken by take_pending_events: each returns and clears.
  bool take_nmi();
  bool take_init();
  std::optional<u8> take_sipi();

  void reset();
  void init();  // the INIT message: everything but the mode and base address
  LapicState save() const;
  void load(const LapicState& state);
  bool matches(u32 destination, bool logical) const;  // for MSI and IPI routing; any thread

 private:
  std::optional<u8> highest(const std::array<u32, 8>& bits) const;
  std::optional<u8> highest_waiting() const;
  u8 processor_priority() const;
  bool enabled() const;
  u32 reg(u32 index) const { return registers_[index].load(std::memory_order_relaxed); }
  void set_reg(u32 index, u32 value) { registers_[index].store(value, std::memory_order_relaxed); }
  void send_ipi(u32 destination, u32 command);
  void set_initial_count(u32 count);
  u32 current_count() const;
  u64 timer_period_ns() const;

  Context& context_;
  std::array<std::atomic<u32>, 8> irr_{};
  std::array<std::atomic<u32>, 8> tmr_{};
  std::array<u32, 8> isr_{};
  std::array<std::atomic<u32>, 64> registers_{};  // by x2APIC number
  std::atomic<bool> nmi_{false}, init_{false};
  std::atomic<int> sipi_{-1};
  std::atomic<bool> ext_int_{false};  // the wire; no reset changes it
  std::atomic<u64> base_msr_{0};
  u64 tsc_deadline_ = 0;
  u64 timer_due_ns_ = 0;  // one-shot and periodic; 0 = not armed
  bool pv_eoi_offered_ = false;
};

}  // namespace pileus::engine::bt
