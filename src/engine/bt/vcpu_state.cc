// CpuState in and out of a BtVcpu.
#include <cstring>

#include "engine/bt/mmu.h"
#include "engine/bt/system.h"
#include "engine/bt/vcpu.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {

constexpr std::size_t kXmmOffset = 160;  // of XMM0 in an FXSAVE image
constexpr std::size_t kYmmOffset = 576;  // of the upper halves in the standard XSAVE format
constexpr u64 kXstateX87Sse = 3;

// Those that CpuState does not have fields for.
constexpr u32 kSavedMsrs[] = {0x10A,      0x174,      0x175,      0x176,      0x1A0,      0x277,
                              0x2FF,      0xC0000081, 0xC0000082, 0xC0000083, 0xC0000084, 0xC0000102,
                              0xC0000103, 0x4B564D00, 0x4B564D01, 0x4B564D03, 0x4B564D04, 0x4B564D05};

void save_vectors(const Context& context, CpuState* out) {
  std::memcpy(out->xsave.data(), context.fx.data(), context.fx.size());
  std::memcpy(out->xsave.data() + 24, &context.mxcsr, 4);
  const u64 components = allowed_xcr0(context.vm->cpu().features) | kXstateX87Sse;
  std::memcpy(out->xsave.data() + 512, &components, 8);
  for (std::size_t i = 0; i < 16; ++i) {
    std::memcpy(out->xsave.data() + kXmmOffset + 16 * i, context.vector[i].data(), 16);
    std::memcpy(out->xsave.data() + kYmmOffset + 16 * i, context.vector[i].data() + 16, 16);
  }
}

void load_vectors(const CpuState& in, Context& context) {
  std::memcpy(context.fx.data(), in.xsave.data(), context.fx.size());
  std::memcpy(&context.mxcsr, in.xsave.data() + 24, 4);
  for (std::size_t i = 0; i < 16; ++i) {
    std::memcpy(context.vector[i].data(), in.xsave.data() + kXmmOffset + 16 * i, 16);
    std::memcpy(context.vector[i].data() + 16, in.xsave.data() + kYmmOffset + 16 * i, 16);
  }
}

}  // namespace

CpuState BtVcpu::state() const {
  Context& context = *context_;
  CpuState out;
  out.gpr = context.gpr;
  out.rip = context.rip;
  out.rflags = context.flags();
  out.segment = context.segment;
  out.ldtr = context.ldtr;
  out.tr = context.tr;
  out.gdtr = context.gdtr;
  out.idtr = context.idtr;
  out.cr0 = context.cr0, out.cr2 = context.cr2, out.cr3 = context.cr3, out.cr4 = context.cr4;
  out.cr8 = lapic_.task_priority() >> 4;
  out.xcr0 = context.xcr0;
  out.efer = context.efer;
  out.dr = context.dr;
  save_vectors(context, &out);
  for (const u32 index : kSavedMsrs) {
    u64 value = 0;
    if (read_msr(context, index, &value)) out.msrs.push_back({index, value});
  }
  out.tsc = read_tsc(context);
  out.lapic = lapic_.save();
  out.run_state = context.run_state;
  out.nmi_pending = context.nmi_pending;
  out.nmi_blocked = context.nmi_blocked;
  out.interrupt_shadow = context.shadow;
  return out;
}

Result<> BtVcpu::set_state(const CpuState& in) {
  Context& context = *context_;
  context.gpr = in.gpr;
  context.rip = in.rip;
  context.set_flags(in.rflags);
  context.segment = in.segment;
  context.cpl = static_cast<u8>((in.segment[kSs].attributes >> 5) & 3);
  context.ldtr = in.ldtr;
  context.tr = in.tr;
  context.gdtr = in.gdtr;
  context.idtr = in.idtr;
  context.cr0 = in.cr0, context.cr2 = in.cr2, context.cr3 = in.cr3, context.cr4 = in.cr4;
  context.xcr0 = in.xcr0;
  context.efer = in.efer;
  context.dr = in.dr;
  load_vectors(in, context);
  if (in.tsc != 0) context.tsc_offset += in.tsc - read_tsc(context);
  lapic_.load(in.lapic);
  lapic_.set_task_priority(static_cast<u8>(in.cr8 << 4));
  context.run_state = in.run_state;
  context.nmi_pending = in.nmi_pending;
  context.nmi_blocked = in.nmi_blocked;
  context.shadow = in.interrupt_shadow;
  flush_tlb_all(context);
  for (const CpuState::Msr& msr : in.msrs) {
    if (!write_msr(context, msr.index, msr.value)) {
      return Error(ErrorCode::kUnsupported, "this engine cannot hold MSR " + std::to_string(msr.index));
    }
  }
  return {};
}

}  // namespace pileus::engine::bt
