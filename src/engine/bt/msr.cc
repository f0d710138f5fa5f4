// Model-specific registers. One that is not here raises #GP, which Linux survives.
#include "engine/bt/events.h"
#include "engine/bt/lapic.h"
#include "engine/bt/mmu.h"
#include "engine/bt/paravirt.h"
#include "engine/bt/system.h"
#include "engine/bt/vm.h"

#include <x86intrin.h>

namespace pileus::engine::bt {

namespace {

constexpr u64 kEferSce = 1, kEferLme = 1U << 8, kEferLma = 1U << 10, kEferNxe = 1U << 11;
// RDCL_NO IBRS_ALL SKIP_L1DFL SSB_NO MDS_NO PSCHANGE_MC_NO TAA_NO SBDR_SSDP_NO FBSDP_NO PSDP_NO BHI_NO PBRSB_NO GDS_NO
// RFDS_NO ITS_NO
constexpr u64 kArchCapabilities =
    1 | 2 | 8 | 16 | 32 | 64 | 256 | (7U << 13) | (1U << 20) | (1U << 24) | (1U << 26) | (1U << 27) | (u64{1} << 62);

bool is_canonical(u64 value) { return static_cast<u64>(static_cast<i64>(value << 16) >> 16) == value; }

// Registers that are storage and no more.
u64* storage(Context& context, u32 index) {
  switch (index) {
    case 0x3A:
    case 0x48: return index == 0x48 ? &context.spec_ctrl : nullptr;
    case 0x174: return &context.sysenter_cs;
    case 0x175: return &context.sysenter_esp;
    case 0x176: return &context.sysenter_eip;
    case 0x1A0: return &context.misc_enable;
    case 0x2FF: return &context.mtrr_def_type;
    case 0xC0000081: return &context.star;
    case 0xC0000082: return &context.lstar;
    case 0xC0000083: return &context.cstar;
    case 0xC0000084: return &context.sfmask;
    case 0xC0000100: return &context.segment[kFs].base;
    case 0xC0000101: return &context.segment[kGs].base;
    case 0xC0000102: return &context.kernel_gs_base;
    case 0xC0000103: return &context.tsc_aux;
    case 0x250: return &context.mtrr_fixed[0];
    case 0x258:
    case 0x259: return &context.mtrr_fixed[index - 0x258 + 1];
    default: break;
  }
  if (index >= 0x268 && index <= 0x26F) return &context.mtrr_fixed[index - 0x268 + 3];
  if (index >= 0x200 && index <= 0x20F) return &context.mtrr_variable[index - 0x200];
  return nullptr;
}

bool needs_canonical(u32 index) {
  return (index >= 0xC0000082 && index <= 0xC0000083) || (index >= 0xC0000100 && index <= 0xC0000102) ||
         index == 0x175 || index == 0x176;
}

bool write_efer(Context& context, u64 value) {
  if ((value & ~(kEferSce | kEferLme | kEferLma | kEferNxe)) != 0) return context.raise(kVectorGp, 0);
  const bool paging = (context.cr0 >> 31 & 1) != 0;
  if (paging && ((context.efer ^ value) & kEferLme) != 0) return context.raise(kVectorGp, 0);
  const u64 before = context.efer;
  context.efer = (value & ~kEferLma) | (context.efer & kEferLma);
  if (((before ^ context.efer) & kEferNxe) != 0) flush_tlb_all(context);
  return true;
}

bool write_pat(Context& context, u64 value) {
  for (unsigned i = 0; i < 64; i += 8) {
    const u64 type = value >> i & 0xFF;
    if (type > 7 || type == 2 || type == 3) return context.raise(kVectorGp, 0);
  }
  context.pat = value;
  return true;
}

}  // namespace

u64 read_tsc(const Context& context) { return __rdtsc() + context.tsc_offset; }

bool read_msr(Context& context, u32 index, u64* value) {
  if (index >= 0x800 && index <= 0x8FF) {
    if ((context.lapic->base_msr() & 0x400) == 0) return context.raise(kVectorGp, 0);
    return context.lapic->read(index - 0x800, value) || context.raise(kVectorGp, 0);
  }
  switch (index) {
    case 0x10: *value = read_tsc(context); return true;
    case 0x17:
    case 0x2A:
    case 0x3A:
    case 0x8B:
    case 0xCE:
    case 0x140:
    case 0x34:
    case 0x179:
    case 0x17A:
    case 0x17B:
    case 0x186:
    case 0x187:
    case 0x198:
    case 0x1D9:
    case 0xC0010015:
    case 0x606:
    case 0x611:
    case 0x639:
    case 0x641:
    case 0x619: *value = index == 0x3A ? 1 : index == 0x8B ? u64{0x1000000} << 32 : 0; return true;
    case 0x1B: *value = context.lapic->base_msr(); return true;
    case 0x3B: *value = context.tsc_offset; return true;
    case 0xFE: *value = 0x508; return true;  // MTRRcap: 8 variable, fixed, WC
    case 0x10A: *value = kArchCapabilities; return true;
    case 0x277: *value = context.pat; return true;
    case 0x6E0: *value = context.lapic->tsc_deadline(); return true;
    case 0xC0000080: *value = context.efer; return true;
    default: break;
  }
  if (const u64* field = storage(context, index)) {
    *value = *field;
    return true;
  }
  return read_paravirt_msr(context, index, value) || context.raise(kVectorGp, 0);
}

bool write_msr(Context& context, u32 index, u64 value) {
  if (index >= 0x800 && index <= 0x8FF) {
    if ((context.lapic->base_msr() & 0x400) == 0) return context.raise(kVectorGp, 0);
    return context.lapic->write(index - 0x800, value) || context.raise(kVectorGp, 0);
  }
  switch (index) {
    case 0x10: context.tsc_offset = value - __rdtsc(); return true;
    case 0x17:
    case 0x2A:
    case 0x8B:
    case 0x140:
    case 0x49:
    case 0x179:
    case 0x17A:
    case 0x186:
    case 0x187:
    case 0x10A:
    case 0x1D9: return true;
    case 0x1B: return context.lapic->set_base_msr(value) || context.raise(kVectorGp, 0);
    case 0x3B: context.tsc_offset = value; return true;
    case 0x277: return write_pat(context, value);
    case 0x6E0: context.lapic->set_tsc_deadline(value); return true;
    case 0xC0000080: return write_efer(context, value);
    default: break;
  }
  if (u64* field = storage(context, index)) {
    if (needs_canonical(index) && !is_canonical(value)) return context.raise(kVectorGp, 0);
    *field = value;
    return true;
  }
  return write_paravirt_msr(context, index, value) || context.raise(kVectorGp, 0);
}

}  // namespace pileus::engine::bt
