#include "engine/bt/lapic.h"

#include <bit>
#include <ctime>

#include "engine/bt/context.h"
#include "engine/bt/host_tsc.h"
#include "engine/bt/paravirt.h"
#include "engine/bt/system.h"
#include "engine/bt/vm.h"
#include "engine/bt/wide.h"

namespace pileus::engine::bt {

namespace {

// x2APIC register numbers (SDM vol. 3, table 11-6).
enum Register : u32 {
  kId = 0x02,
  kVersion = 0x03,
  kTpr = 0x08,
  kPpr = 0x0A,
  kEoi = 0x0B,
  kLdr = 0x0D,
  kDfr = 0x0E,
  kSvr = 0x0F,
  kIsr = 0x10,
  kTmr = 0x18,
  kIrr = 0x20,
  kEsr = 0x28,
  kLvtCmci = 0x2F,
  kIcr = 0x30,
  kIcrHigh = 0x31,
  kLvtTimer = 0x32,
  kLvtThermal = 0x33,
  kLvtPerf = 0x34,
  kLvtLint0 = 0x35,
  kLvtLint1 = 0x36,
  kLvtError = 0x37,
  kInitialCount = 0x38,
  kCurrentCount = 0x39,
  kDivide = 0x3E,
  kSelfIpi = 0x3F,
};
constexpr u32 kMasked = 1U << 16;
constexpr u32 kTimerMode = 3U << 17, kPeriodic = 1U << 17, kTscDeadline = 2U << 17;
constexpr u64 kBaseEnable = 0x800, kBaseX2apic = 0x400, kBaseBsp = 0x100;
constexpr u64 kBusNs = 100;  // the timer's input clock is the 10 MHz crystal of CPUID leaf 0x15

u64 now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<u64>(now.tv_sec) * 1'000'000'000 + static_cast<u64>(now.tv_nsec);
}

// The guest's own time, by its TSC: goes on where it was when the vCPU is continued elsewhere.
u64 guest_ns(const Context& context) { return multiply_divide(read_tsc(context), 1'000'000, tsc_khz()); }

unsigned divisor(u32 divide) {
  const unsigned code = (divide & 3) | (divide >> 1 & 4);
  return code == 7 ? 1 : 2U << code;
}

u32 logical_id(u32 id) { return (id >> 4) << 16 | 1U << (id & 15); }

}  // namespace

bool Lapic::enabled() const { return (reg(kSvr) & 0x100) != 0 && (base_msr_ & kBaseEnable) != 0; }

void Lapic::post(Delivery delivery, u8 vector, bool level) {
  switch (delivery) {
    case Delivery::kFixed:
    case Delivery::kLowest:
      if (vector < 16 || !enabled()) return;
      if (level) tmr_[vector / 32].fetch_or(1U << (vector % 32));
      else tmr_[vector / 32].fetch_and(~(1U << (vector % 32)));
      irr_[vector / 32].fetch_or(1U << (vector % 32));
      break;
    case Delivery::kNmi: nmi_ = true; break;
    case Delivery::kInit: init_ = true; break;
    case Delivery::kStartup: sipi_ = vector; break;
    case Delivery::kSmi:
    case Delivery::kExtInt: return;
  }
  context_.vm->wake(context_);
}

std::optional<u8> Lapic::highest(const std::array<u32, 8>& bits) const {
  for (unsigned i = 8; i-- > 0;) {
    if (bits[i] != 0) return static_cast<u8>(i * 32 + 31 - static_cast<unsigned>(std::countl_zero(bits[i])));
  }
  return std::nullopt;
}

u8 Lapic::processor_priority() const {
  const u8 task = static_cast<u8>(reg(kTpr));
  const u8 service = highest(isr_).value_or(0) & 0xF0;
  return (task & 0xF0) >= service ? task : service;
}

std::optional<u8> Lapic::highest_waiting() const {
  std::array<u32, 8> waiting{};
  for (unsigned i = 0; i < 8; ++i) waiting[i] = irr_[i].load(std::memory_order_seq_cst);
  return highest(waiting);
}

std::optional<u8> Lapic::pending() const {
  if (!enabled()) return std::nullopt;
  const auto vector = highest_waiting();
  if (!vector || (*vector & 0xF0) <= (processor_priority() & 0xF0)) return std::nullopt;
  return vector;
}

bool Lapic::ext_int_pending() const {
  if (!ext_int_.load(std::memory_order_seq_cst)) return false;
  if ((base_msr_ & kBaseEnable) == 0) return true;  // LINT0 is INTR then
  constexpr u32 kModeMask = 7U << 8, kExtIntMode = 7U << 8;
  return (reg(kLvtLint0) & (kMasked | kModeMask)) == kExtIntMode;
}

void Lapic::set_ext_int(bool level) {
  if (ext_int_.exchange(level, std::memory_order_seq_cst) != level && level) context_.vm->wake(context_);
}

void Lapic::accept(u8 vector) {
  irr_[vector / 32].fetch_and(~(1U << (vector % 32)));
  const bool nested = highest(isr_).has_value();
  isr_[vector / 32] |= 1U << (vector % 32);
  const bool level = (tmr_[vector / 32].load() >> (vector % 32) & 1) != 0;
  // With nothing else in service or waiting (whatever its priority), the guest may end this one by clearing a flag in
  // its memory: nobody has to look then.
  if (!nested && !level && !highest_waiting()) pv_eoi_offered_ = paravirt_eoi_set(context_);
}

void Lapic::sync_pv_eoi() {
  if (!pv_eoi_offered_) return;
  if (paravirt_eoi_standing(context_) && !highest_waiting()) return;  // still in service, and nobody waits for its end
  withdraw_pv_eoi();
}

void Lapic::withdraw_pv_eoi() {
  if (!pv_eoi_offered_) return;
  pv_eoi_offered_ = false;
  if (paravirt_eoi_ended(context_)) eoi();
}

void Lapic::eoi() {
  const auto vector = highest(isr_);
  if (!vector) return;
  isr_[*vector / 32] &= ~(1U << (*vector % 32));
  const bool level = (tmr_[*vector / 32].load() >> (*vector % 32) & 1) != 0;
  EoiListener* listener = context_.vm->config().eoi;
  if (level && listener != nullptr) listener->on_eoi(*vector);
  if (pending()) context_.exit_request.store(1, std::memory_order_seq_cst);
}

bool Lapic::read(u32 index, u64* value) {
  const bool x2apic = (base_msr_ & kBaseX2apic) != 0;
  if (index >= 64) return false;
  if (index >= kIsr && index < kIsr + 8) return *value = isr_[index - kIsr], true;
  if (index >= kTmr && index < kTmr + 8) return *value = tmr_[index - kTmr], true;
  if (index >= kIrr && index < kIrr + 8) return *value = irr_[index - kIrr], true;
  switch (index) {
    case kId: *value = x2apic ? context_.id : u64{context_.id} << 24; return true;
    case kVersion: *value = 0x00050014; return true;
    case kPpr: *value = processor_priority(); return true;
    case kLdr: *value = x2apic ? logical_id(context_.id) : reg(kLdr); return true;
    case kIcr: *value = reg(kIcr) | (x2apic ? u64{reg(kIcrHigh)} << 32 : 0); return true;
    case kCurrentCount: *value = current_count(); return true;
    case kTpr:
    case kDfr:
    case kSvr:
    case kEsr:
    case kLvtCmci:
    case kIcrHigh:
    case kLvtTimer:
    case kLvtThermal:
    case kLvtPerf:
    case kLvtLint0:
    case kLvtLint1:
    case kLvtError:
    case kInitialCount:
    case kDivide: *value = reg(index); return true;
    default: *value = 0; return !x2apic;
  }
}

void Lapic::send_ipi(u32 destination, u32 command) {
  const auto delivery = static_cast<Delivery>(command >> 8 & 7);
  const auto vector = static_cast<u8>(command);
  const bool deassert = delivery == Delivery::kInit && (command & 0x8000) != 0 && (command & 0x4000) == 0;
  if (deassert) return;
  switch (command >> 18 & 3) {
    case 0: context_.vm->deliver(destination, (command & 0x800) != 0, delivery, vector, false); break;
    case 1: post(delivery, vector, false); break;
    default:
      for (Context* context : context_.vm->contexts()) {
        if ((command >> 18 & 3) == 2 || context != &context_) context->lapic->post(delivery, vector, false);
      }
  }
}

bool Lapic::write(u32 index, u64 value) {
  const bool x2apic = (base_msr_ & kBaseX2apic) != 0;
  const auto low = static_cast<u32>(value);
  switch (index) {
    case kTpr:
      set_reg(kTpr, low & 0xFF);
      context_.exit_request.store(1, std::memory_order_seq_cst);
      return true;
    case kEoi:
      // The guest chose the register although the flag was offered: the flag is withdrawn.
      if (pv_eoi_offered_) (void)paravirt_eoi_ended(context_);
      pv_eoi_offered_ = false;
      eoi();
      return true;
    case kIcr:
      set_reg(kIcr, low & ~0x1000U);
      if (x2apic) set_reg(kIcrHigh, static_cast<u32>(value >> 32));
      send_ipi(x2apic ? reg(kIcrHigh) : reg(kIcrHigh) >> 24, low);
      return true;
    case kSelfIpi:
      if (!x2apic) return false;
      post(Delivery::kFixed, static_cast<u8>(value), false);
      return true;
    case kInitialCount: set_initial_count(low); return true;
    case kLvtTimer:
      if (((reg(kLvtTimer) ^ low) & kTimerMode) != 0) timer_due_ns_ = tsc_deadline_ = 0;
      set_reg(kLvtTimer, low & 0x710FF);
      context_.exit_request.store(1, std::memory_order_seq_cst);
      return true;
    case kSvr:
      set_reg(kSvr, low & 0x1FF);
      context_.exit_request.store(1, std::memory_order_seq_cst);
      return true;
    case kEsr: set_reg(kEsr, 0); return true;
    case kId:
    case kLdr:
    case kDfr:
      if (x2apic) return false;
      if (index != kId) set_reg(index, low);
      return true;
    case kIcrHigh:
      if (x2apic) return false;
      set_reg(kIcrHigh, low);
      return true;
    case kLvtCmci:
    case kLvtThermal:
    case kLvtPerf:
    case kLvtLint0:
    case kLvtLint1:
    case kLvtError:
      set_reg(index, low & 0x1F7FF);
      if (index == kLvtLint0) context_.exit_request.store(1, std::memory_order_seq_cst);
      return true;
    case kDivide: set_reg(kDivide, low & 11); return true;
    default: return !x2apic;
  }
}

bool Lapic::set_base_msr(u64 value) {
  const bool enable = (value & kBaseEnable) != 0;
  const bool x2apic = (value & kBaseX2apic) != 0;
  const bool was_x2apic = (base_msr_ & kBaseX2apic) != 0;
  if ((x2apic && !enable) || (was_x2apic && enable && !x2apic)) return false;  // SDM vol. 3, figure 11-27
  base_msr_ = (value & ~kBaseBsp) | (base_msr_ & kBaseBsp);
  return true;
}

void Lapic::set_tsc_deadline(u64 value) {
  if ((reg(kLvtTimer) & kTimerMode) != kTscDeadline) return;
  tsc_deadline_ = value;
  context_.exit_request.store(1, std::memory_order_seq_cst);
}

u8 Lapic::task_priority() const { return static_cast<u8>(reg(kTpr)); }
void Lapic::set_task_priority(u8 value) { set_reg(kTpr, value); }

u64 Lapic::timer_period_ns() const { return u64{reg(kInitialCount)} * divisor(reg(kDivide)) * kBusNs; }

void Lapic::set_initial_count(u32 count) {
  if ((reg(kLvtTimer) & kTimerMode) == kTscDeadline) return;
  set_reg(kInitialCount, count);
  timer_due_ns_ = count == 0 ? 0 : now_ns() + timer_period_ns();
  context_.exit_request.store(1, std::memory_order_seq_cst);
}

u32 Lapic::current_count() const {
  if (timer_due_ns_ == 0) return 0;
  const u64 now = now_ns();
  const u64 left = timer_due_ns_ > now ? timer_due_ns_ - now : 0;
  return static_cast<u32>(left / (divisor(reg(kDivide)) * kBusNs));
}

std::optional<u64> Lapic::run_timer(u64 now) {
  const u32 lvt = reg(kLvtTimer);
  const auto fire = [&] {
    if ((lvt & kMasked) == 0) post(Delivery::kFixed, static_cast<u8>(lvt), false);
  };
  if (tsc_deadline_ != 0) {
    const u64 tsc = read_tsc(context_);
    if (tsc < tsc_deadline_) {
      const u64 cycles = tsc_deadline_ - tsc;
      return now + multiply_divide(cycles, 1'000'000, tsc_khz()) + 1;
    }
    tsc_deadline_ = 0;
    fire();
    return std::nullopt;
  }
  if (timer_due_ns_ == 0) return std::nullopt;
  if (now < timer_due_ns_) return timer_due_ns_;
  fire();
  if ((lvt & kTimerMode) != kPeriodic || timer_period_ns() == 0) {
    timer_due_ns_ = 0;
    return std::nullopt;
  }
  const u64 period = timer_period_ns();
  timer_due_ns_ += ((now - timer_due_ns_) / period + 1) * period;
  return timer_due_ns_;
}

bool Lapic::take_nmi() { return nmi_.exchange(false); }
bool Lapic::take_init() { return init_.exchange(false); }
std::optional<u8> Lapic::take_sipi() {
  const int vector = sipi_.exchange(-1);
  if (vector < 0) return std::nullopt;
  return static_cast<u8>(vector);
}

void Lapic::reset() {
  init();
  base_msr_ = 0xFEE00000 | kBaseEnable | (context_.id == 0 ? kBaseBsp : 0);
}

void Lapic::init() {
  for (auto& word : irr_) word = 0;
  for (auto& word : tmr_) word = 0;
  isr_ = {};
  for (u32 i = 0; i < registers_.size(); ++i) set_reg(i, 0);
  for (const u32 lvt : {kLvtCmci, kLvtTimer, kLvtThermal, kLvtPerf, kLvtLint0, kLvtLint1, kLvtError})
    set_reg(lvt, kMasked);
  set_reg(kSvr, 0xFF);
  set_reg(kDfr, 0xFFFFFFFF);
  tsc_deadline_ = timer_due_ns_ = 0;
  pv_eoi_offered_ = false;
}

LapicState Lapic::save() const {
  LapicState state;
  for (u32 i = 0; i < 64; ++i) state.registers[i] = reg(i);
  for (u32 i = 0; i < 8; ++i) {
    state.registers[kIsr + i] = isr_[i];
    state.registers[kTmr + i] = tmr_[i];
    state.registers[kIrr + i] = irr_[i];
  }
  state.base_msr = base_msr_;
  state.tsc_deadline = tsc_deadline_;
  if (timer_due_ns_ != 0) state.timer_initial_ns = guest_ns(context_) + (timer_due_ns_ - now_ns());
  return state;
}

void Lapic::load(const LapicState& state) {
  // An all-zero page is no APIC's state: a vCPU described without one starts from reset.
  bool any = false;
  for (const u32 word : state.registers) any |= word != 0;
  if (!any) return;
  for (u32 i = 0; i < 64; ++i) set_reg(i, state.registers[i]);
  for (u32 i = 0; i < 8; ++i) {
    isr_[i] = state.registers[kIsr + i];
    tmr_[i] = state.registers[kTmr + i];
    irr_[i] = state.registers[kIrr + i];
  }
  base_msr_ = state.base_msr;
  tsc_deadline_ = state.tsc_deadline;
  timer_due_ns_ = state.timer_initial_ns == 0 ? 0 : now_ns() + (state.timer_initial_ns - guest_ns(context_));
}

bool Lapic::matches(u32 destination, bool logical) const {
  const bool x2apic = (base_msr_ & kBaseX2apic) != 0;
  if (destination == 0xFFFFFFFF || destination == 0xFF) return true;
  if (!logical) return destination == context_.id;
  if (x2apic) {
    const u32 mine = logical_id(context_.id);
    return (destination >> 16) == (mine >> 16) && (destination & mine & 0xFFFF) != 0;
  }
  const u32 mine = reg(kLdr) >> 24;
  if ((reg(kDfr) >> 28) == 15) return (destination & mine) != 0;
  return (destination >> 4) == (mine >> 4) && (destination & mine & 15) != 0;
}

}  // namespace pileus::engine::bt
