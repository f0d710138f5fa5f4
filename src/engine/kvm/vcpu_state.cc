// CpuState in and out of a KvmVcpu.
#include <algorithm>
#include <cstring>

#include "engine/kvm/list.h"
#include "engine/kvm/vcpu.h"

namespace pileus::engine::kvm {

namespace {

constexpr u32 kMsrTsc = 0x10, kMsrArchCapabilities = 0x10A, kMsrTscDeadline = 0x6E0;
constexpr u64 kCr0Paging = 1U << 31;
constexpr std::size_t kXstateAt = 512;  // XSTATE_BV in the standard XSAVE format
constexpr u64 kX87Sse = 3;
constexpr unsigned long kXsaveBytes = 4096;  // kvm_xsave in C
constexpr std::size_t kTaskPriority = 8;

// Those that hold state and that CpuState has no fields for. One that this KVM does not have is left out.
constexpr u32 kSavedMsrs[] = {0x48,        // SPEC_CTRL
                              0x140,       // MISC_FEATURES_ENABLES
                              0x174,       // SYSENTER_CS, _ESP, _EIP
                              0x175,      0x176,
                              0x1A0,       // MISC_ENABLE
                              0x200,       // MTRRs
                              0x201,      0x202,      0x203,      0x204,     0x205, 0x206, 0x207, 0x208, 0x209,
                              0x20A,      0x20B,      0x20C,      0x20D,     0x20E, 0x20F, 0x250, 0x258, 0x259,
                              0x268,      0x269,      0x26A,      0x26B,     0x26C, 0x26D, 0x26E, 0x26F, 0x2FF,
                              0x277,       // PAT
                              0xC0000081,  // STAR, LSTAR, CSTAR, SFMASK
                              0xC0000082, 0xC0000083, 0xC0000084,
                              0xC0000102,  // KERNEL_GS_BASE
                              0xC0000103,  // TSC_AUX
                              0x4B564D00,  // the KVM paravirtual interface
                              0x4B564D01, 0x4B564D03, 0x4B564D04, 0x4B564D05};

// A kvm_msrs of one entry: see list.h.
struct OneMsr {
  u32 count = 1;
  u32 padding = 0;
  kvm_msr_entry entry{};
};
static_assert(sizeof(OneMsr) == 24);

// KVM_GET_... cannot fail for a vCPU that exists.
template <typename T>
void get(int fd, unsigned long request, T* out, const char* what) {
  const Result<int> got = call(fd, request, out, what);
  CHECK(got.ok());
}

bool read_one(int fd, u32 index, u64* value) {
  OneMsr one;
  one.entry.index = index;
  if (::ioctl(fd, list_request(KVM_GET_MSRS), &one) != 1) return false;
  *value = one.entry.data;
  return true;
}

DescriptorTable decode_table(const kvm_dtable& table) { return {table.base, table.limit}; }

kvm_dtable encode_table(const DescriptorTable& table) {
  kvm_dtable out{};
  out.base = table.base;
  out.limit = table.limit;
  return out;
}

std::string hex(u64 value) {
  char text[20];
  std::snprintf(text, sizeof text, "%#llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

u64 KvmVcpu::read_msr(u32 index) const {
  u64 value = 0;
  (void)read_one(fd(), index, &value);
  return value;
}

// The guest's own time, by its TSC: goes on where it was when the vCPU is continued elsewhere.
u64 KvmVcpu::guest_ns(u64 tsc) const { return static_cast<u64>(u128{tsc} * 1'000'000 / tsc_khz_); }

LapicState KvmVcpu::save_lapic(const LapicClock& clock) const {
  kvm_lapic_state page{};
  get(fd(), KVM_GET_LAPIC, &page, "KVM_GET_LAPIC");
  return decode_lapic(page, clock);
}

LapicClock KvmVcpu::lapic_clock() const { return {guest_ns(read_msr(kMsrTsc)), vm_.apic_cycle_ns()}; }

CpuState KvmVcpu::state() const {
  CpuState out;
  // First: it lets INIT and SIPI that wait take effect.
  kvm_mp_state mp{};
  get(fd(), KVM_GET_MP_STATE, &mp, "KVM_GET_MP_STATE");
  switch (mp.mp_state) {
    case KVM_MP_STATE_HALTED: out.run_state = RunState::kHalted; break;
    case KVM_MP_STATE_UNINITIALIZED:
    case KVM_MP_STATE_INIT_RECEIVED: out.run_state = RunState::kWaitForSipi; break;
    default: out.run_state = RunState::kRunning;
  }
  if (shut_down_) out.run_state = RunState::kShutdown;
  save_registers(&out);
  save_system_registers(&out);
  save_vectors(&out);
  save_msrs(&out);
  out.tsc = read_msr(kMsrTsc);
  const u64 base_msr = out.lapic.base_msr;
  const LapicClock clock{guest_ns(out.tsc), vm_.apic_cycle_ns()};
  out.lapic = save_lapic(clock);
  out.lapic.base_msr = base_msr;
  if (has_expired(out.lapic, timer_due_ns_, clock.guest_ns)) request_timer_interrupt(&out.lapic);
  out.lapic.tsc_deadline = read_msr(kMsrTscDeadline);
  save_events(&out);
  return out;
}

void KvmVcpu::save_registers(CpuState* out) const {
  kvm_regs r{};
  get(fd(), KVM_GET_REGS, &r, "KVM_GET_REGS");
  out->gpr = {r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi,
              r.r8,  r.r9,  r.r10, r.r11, r.r12, r.r13, r.r14, r.r15};
  out->rip = r.rip;
  out->rflags = r.rflags;
  kvm_debugregs debug{};
  get(fd(), KVM_GET_DEBUGREGS, &debug, "KVM_GET_DEBUGREGS");
  std::copy(std::begin(debug.db), std::end(debug.db), out->dr.begin());
  out->dr[6] = debug.dr6;
  out->dr[7] = debug.dr7;
}

void KvmVcpu::save_system_registers(CpuState* out) const {
  kvm_sregs2 s{};
  get(fd(), KVM_GET_SREGS2, &s, "KVM_GET_SREGS2");
  const kvm_segment* segments[] = {&s.es, &s.cs, &s.ss, &s.ds, &s.fs, &s.gs};
  for (unsigned i = 0; i < kSegmentCount; ++i) out->segment[i] = decode_segment(*segments[i]);
  out->ldtr = decode_segment(s.ldt);
  out->tr = decode_segment(s.tr);
  out->gdtr = decode_table(s.gdt);
  out->idtr = decode_table(s.idt);
  out->cr0 = s.cr0, out->cr2 = s.cr2, out->cr3 = s.cr3, out->cr4 = s.cr4, out->cr8 = s.cr8;
  out->efer = s.efer;
  out->lapic.base_msr = s.apic_base;
}

void KvmVcpu::save_vectors(CpuState* out) const {
  kvm_xsave area{};
  get(fd(), sized_request(KVM_GET_XSAVE, kXsaveBytes), &area, "KVM_GET_XSAVE");
  std::memcpy(out->xsave.data(), area.region, out->xsave.size());
  // What is in its initial state is there as well, whatever the header says.
  u64 present = 0;
  std::memcpy(&present, out->xsave.data() + kXstateAt, sizeof present);
  present |= kX87Sse;
  std::memcpy(out->xsave.data() + kXstateAt, &present, sizeof present);
  kvm_xcrs registers{};
  get(fd(), KVM_GET_XCRS, &registers, "KVM_GET_XCRS");
  for (u32 i = 0; i < registers.nr_xcrs; ++i) {
    if (registers.xcrs[i].xcr == 0) out->xcr0 = registers.xcrs[i].value;
  }
}

void KvmVcpu::save_msrs(CpuState* out) const {
  for (const u32 index : kSavedMsrs) {
    u64 value = 0;
    if (read_one(fd(), index, &value)) out->msrs.push_back({index, value});
  }
}

void KvmVcpu::save_events(CpuState* out) const {
  kvm_vcpu_events events{};
  get(fd(), KVM_GET_VCPU_EVENTS, &events, "KVM_GET_VCPU_EVENTS");
  if (events.exception.injected != 0) {
    out->exception = {events.exception.nr, events.exception.has_error_code != 0, events.exception.error_code};
  }
  if (events.interrupt.injected != 0) put_back_interrupt(events.interrupt.nr, &out->lapic);
  out->interrupt_shadow = events.interrupt.shadow != 0;
  // One that is on its way in blocks others already, and has still to come.
  out->nmi_pending = events.nmi.pending != 0 || events.nmi.injected != 0;
  out->nmi_blocked = events.nmi.masked != 0 && events.nmi.injected == 0;
}

// In this order: system registers decide which APIC there is, the TSC what its timer counts by, the APIC's mode whether
// there is a deadline.
Result<> KvmVcpu::set_state(const CpuState& in) {
  shut_down_ = in.run_state == RunState::kShutdown;
  if (in.tsc != 0) TRY(load_tsc(in.tsc));
  TRY(load_registers(in));
  TRY(load_system_registers(in));
  TRY(load_vectors(in));
  TRY(load_lapic(in));
  TRY(load_msrs(in));
  TRY(load_run_state(in.run_state));
  TRY(load_events(in));
  return debug_.empty() ? Result<>() : load_debug();
}

Result<> KvmVcpu::load_registers(const CpuState& in) {
  kvm_regs r{};
  r.rax = in.gpr[kRax], r.rcx = in.gpr[kRcx], r.rdx = in.gpr[kRdx], r.rbx = in.gpr[kRbx];
  r.rsp = in.gpr[kRsp], r.rbp = in.gpr[kRbp], r.rsi = in.gpr[kRsi], r.rdi = in.gpr[kRdi];
  r.r8 = in.gpr[kR8], r.r9 = in.gpr[kR9], r.r10 = in.gpr[kR10], r.r11 = in.gpr[kR11];
  r.r12 = in.gpr[kR12], r.r13 = in.gpr[kR13], r.r14 = in.gpr[kR14], r.r15 = in.gpr[kR15];
  r.rip = in.rip;
  r.rflags = in.rflags;
  TRY(call(fd(), KVM_SET_REGS, &r, "KVM_SET_REGS"));
  kvm_debugregs debug{};
  std::copy_n(in.dr.begin(), 4, std::begin(debug.db));
  debug.dr6 = in.dr[6];
  debug.dr7 = in.dr[7];
  TRY(call(fd(), KVM_SET_DEBUGREGS, &debug, "KVM_SET_DEBUGREGS"));
  return {};
}

Result<> KvmVcpu::load_system_registers(const CpuState& in) {
  kvm_sregs2 s{};
  TRY(call(fd(), KVM_GET_SREGS2, &s, "KVM_GET_SREGS2"));
  kvm_segment* segments[] = {&s.es, &s.cs, &s.ss, &s.ds, &s.fs, &s.gs};
  for (unsigned i = 0; i < kSegmentCount; ++i) *segments[i] = encode_segment(in.segment[i]);
  s.ldt = encode_segment(in.ldtr);
  s.tr = encode_segment(in.tr);
  s.gdt = encode_table(in.gdtr);
  s.idt = encode_table(in.idtr);
  s.cr0 = in.cr0, s.cr2 = in.cr2, s.cr3 = in.cr3, s.cr4 = in.cr4, s.cr8 = in.cr8;
  s.efer = in.efer;
  s.flags = 0;  // KVM reads the entries of a PAE page directory pointer table from memory
  if (has_lapic(in.lapic)) s.apic_base = in.lapic.base_msr;
  if (call(fd(), KVM_SET_SREGS2, &s, "KVM_SET_SREGS2").ok()) {
    // A KVM that has paging in long mode only takes the others without a word, and leaves CR0.PG clear.
    TRY(call(fd(), KVM_GET_SREGS2, &s, "KVM_GET_SREGS2"));
    if (((s.cr0 ^ in.cr0) & kCr0Paging) == 0) return {};
  }
  return Error(ErrorCode::kUnsupported, "this host's KVM cannot hold a processor with CR0 " + hex(in.cr0) + ", CR4 " +
                                            hex(in.cr4) + " and EFER " + hex(in.efer) + ": use --engine bt");
}

Result<> KvmVcpu::load_vectors(const CpuState& in) {
  kvm_xsave area{};
  TRY(call(fd(), sized_request(KVM_GET_XSAVE, kXsaveBytes), &area, "KVM_GET_XSAVE"));
  std::memcpy(area.region, in.xsave.data(), in.xsave.size());
  if ((vm_.device().capability(KVM_CAP_XCRS)) > 0) {
    kvm_xcrs registers{};
    registers.nr_xcrs = 1;
    registers.xcrs[0].value = in.xcr0;
    TRY(call(fd(), KVM_SET_XCRS, &registers, "KVM_SET_XCRS"));
  }
  TRY(call(fd(), sized_request(KVM_SET_XSAVE, kXsaveBytes), &area, "KVM_SET_XSAVE"));
  return {};
}

Result<> KvmVcpu::load_lapic(const CpuState& in) {
  kvm_lapic_state page{};
  TRY(call(fd(), KVM_GET_LAPIC, &page, "KVM_GET_LAPIC"));
  LapicState lapic = in.lapic;
  if (!has_lapic(lapic)) lapic = decode_lapic(page, lapic_clock());
  u32& priority = lapic.registers[kTaskPriority];
  if (priority >> 4 != in.cr8) priority = static_cast<u32>(in.cr8 << 4);
  const LapicClock clock = lapic_clock();
  encode_lapic(lapic, id_, clock, &page);
  TRY(call(fd(), KVM_SET_LAPIC, &page, "KVM_SET_LAPIC"));
  timer_due_ns_ = decode_lapic(page, clock).timer_initial_ns;
  return load_msr(kMsrTscDeadline, lapic.tsc_deadline);
}

// KVM takes writes by several vCPUs within a second for the same moment, and keeps their TSCs together. The KVM clock is
// kept at the TSC's own time, as the other engine has it.
Result<> KvmVcpu::load_tsc(u64 tsc) {
  TRY(load_msr(kMsrTsc, tsc));
  return vm_.set_clock(guest_ns(tsc));
}

Result<> KvmVcpu::load_msr(u32 index, u64 value) {
  OneMsr one;
  one.entry.index = index;
  one.entry.data = value;
  if (::ioctl(fd(), list_request(KVM_SET_MSRS), &one) == 1) return {};
  return Error(ErrorCode::kUnsupported,
               "this host's KVM cannot hold " + hex(value) + " in MSR " + hex(index) + ": use --engine bt");
}

Result<> KvmVcpu::load_msrs(const CpuState& in) {
  for (const CpuState::Msr& msr : in.msrs) {
    if (msr.index == kMsrArchCapabilities) continue;  // what the processor is, not what it holds
    const Result<> loaded = load_msr(msr.index, msr.value);
    if (!loaded && msr.value != 0) return loaded;  // what KVM does not have is as good as zero
  }
  return {};
}

Result<> KvmVcpu::load_run_state(RunState state) {
  kvm_mp_state mp{};
  switch (state) {
    case RunState::kHalted: mp.mp_state = KVM_MP_STATE_HALTED; break;
    // "Uninitialized" would wait for an INIT first.
    case RunState::kWaitForSipi: mp.mp_state = KVM_MP_STATE_INIT_RECEIVED; break;
    case RunState::kRunning:
    case RunState::kShutdown: mp.mp_state = KVM_MP_STATE_RUNNABLE; break;
  }
  TRY(call(fd(), KVM_SET_MP_STATE, &mp, "KVM_SET_MP_STATE"));
  return {};
}

Result<> KvmVcpu::load_events(const CpuState& in) {
  kvm_vcpu_events events{};
  events.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
  if (in.exception) {
    events.exception.injected = 1;
    events.exception.nr = in.exception->vector;
    events.exception.has_error_code = in.exception->has_error ? 1 : 0;
    events.exception.error_code = in.exception->error;
  }
  constexpr u8 kAfterSti = 1;  // KVM_X86_SHADOW_INT_STI; after MOV SS differs in what else it holds off
  events.interrupt.shadow = in.interrupt_shadow ? kAfterSti : 0;
  events.nmi.pending = in.nmi_pending ? 1 : 0;
  events.nmi.masked = in.nmi_blocked ? 1 : 0;
  TRY(call(fd(), KVM_SET_VCPU_EVENTS, &events, "KVM_SET_VCPU_EVENTS"));
  return {};
}

}  // namespace pileus::engine::kvm
