// Control and debug registers, CPU reset.
#include "engine/bt/events.h"
#include "engine/bt/lapic.h"
#include "engine/bt/mmu.h"
#include "engine/bt/segments.h"
#include "engine/bt/system.h"
#include "engine/bt/vm.h"
#include "x86/descriptor.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kCr0Pe = 1, kCr0Et = 0x10, kCr0Nw = 1U << 29, kCr0Cd = 1U << 30, kCr0Pg = u64{1} << 31;
constexpr u64 kCr0Known = 0xE005003F;
constexpr u64 kCr0Paging = kCr0Pg | (1U << 16) | kCr0Pe;
// VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT UMIP FSGSBASE SMEP SMAP; OSXSAVE and PCIDE where CPUID has them
constexpr u64 kCr4Known = 0x7FF | (1U << 11) | (1U << 16) | (1U << 20) | (1U << 21);
constexpr u64 kCr4Pae = 1U << 5, kCr4Pcide = 1U << 17, kCr4OsXsave = 1U << 18;
constexpr u64 kCr4Paging = (1U << 4) | kCr4Pae | (1U << 7) | kCr4Pcide | (1U << 20) | (1U << 21);
constexpr u64 kCr3Keep = u64{1} << 63, kCr3Pcid = 0xFFF;
constexpr unsigned kPhysicalBits = 46;
constexpr u64 kEferLme = 1U << 8, kEferLma = 1U << 10;

// Loading them checks the four page-directory pointers of PAE paging (SDM vol. 3, 4.4.1).
bool check_pae_pointers(Context& context, u64 cr0, u64 cr3, u64 cr4) {
  constexpr u64 kPresent = 1, kReserved = 0x1E6 | ~((u64{1} << kPhysicalBits) - 1);
  if ((cr0 & kCr0Pg) == 0 || (cr4 & kCr4Pae) == 0 || context.long_mode()) return true;
  u64 pointers[4] = {};
  const u8* host = context.vm->memory().host(cr3 & 0xFFFFFFE0, sizeof pointers);
  if (host != nullptr) __builtin_memcpy(pointers, host, sizeof pointers);
  for (const u64 pointer : pointers) {
    if ((pointer & kPresent) != 0 && (pointer & kReserved) != 0) return context.raise(kVectorGp, 0);
  }
  return true;
}

bool write_cr0(Context& context, u64 value) {
  value = (value & kCr0Known) | kCr0Et;
  const bool paging = (value & kCr0Pg) != 0;
  if (paging && (value & kCr0Pe) == 0) return context.raise(kVectorGp, 0);
  if ((value & kCr0Nw) != 0 && (value & kCr0Cd) == 0) return context.raise(kVectorGp, 0);
  const bool was_paging = (context.cr0 & kCr0Pg) != 0;
  if (paging && !was_paging && (context.efer & kEferLme) != 0) {
    if ((context.cr4 & kCr4Pae) == 0 || (context.segment[kCs].attributes & x86::kLongBit) != 0) {
      return context.raise(kVectorGp, 0);
    }
    context.efer |= kEferLma;
  } else if (paging && !was_paging && !check_pae_pointers(context, value, context.cr3, context.cr4)) {
    return false;
  }
  if (!paging && was_paging && context.long_mode()) {
    if (context.code64() || (context.cr4 & kCr4Pcide) != 0) return context.raise(kVectorGp, 0);
    context.efer &= ~kEferLma;
  }
  const bool flush = ((context.cr0 ^ value) & kCr0Paging) != 0;
  context.cr0 = value;
  if (flush) flush_tlb_all(context);
  return true;
}

u64 known_cr4(const CpuFeatures& features) {
  return kCr4Known | (features.has(FeatureWord::k1Ecx, 26) ? kCr4OsXsave : 0) |
         (features.has(FeatureWord::k1Ecx, 17) ? kCr4Pcide : 0);
}

// SDM vol. 3, 4.10.1 and 4.10.4.1.
bool write_cr3(Context& context, u64 value) {
  const bool tagged = (context.cr4 & kCr4Pcide) != 0;
  const bool keep = tagged && (value & kCr3Keep) != 0;
  if (tagged) value &= ~kCr3Keep;
  if (context.long_mode() && (value >> kPhysicalBits) != 0) return context.raise(kVectorGp, 0);
  if (!check_pae_pointers(context, context.cr0, value, context.cr4)) return false;
  if (context.vectors_in_place && context.far_links_non_global) return false;
  change_space(context, tagged ? value & kCr3Pcid : 0, keep);
  context.cr3 = value;
  if (context.far_links_non_global) context.vm->far_links().check_all(context);
  return true;
}

bool write_cr4(Context& context, u64 value) {
  if ((value & ~known_cr4(context.vm->cpu().features)) != 0) return context.raise(kVectorGp, 0);
  if (context.long_mode() && (value & kCr4Pae) == 0) return context.raise(kVectorGp, 0);
  const bool tags = (value & ~context.cr4 & kCr4Pcide) != 0;
  if (tags && (!context.long_mode() || (context.cr3 & kCr3Pcid) != 0)) return context.raise(kVectorGp, 0);
  const bool flush = ((context.cr4 ^ value) & kCr4Paging) != 0;
  if (flush && !check_pae_pointers(context, context.cr0, context.cr3, value)) return false;
  context.cr4 = value;
  if (flush) flush_tlb_all(context);
  return true;
}

}  // namespace

bool write_cr(Context& context, unsigned index, u64 value) {
  switch (index) {
    case 0: return write_cr0(context, value);
    case 2: context.cr2 = value; return true;
    case 3: return write_cr3(context, value);
    case 4: return write_cr4(context, value);
    case 8:
      if ((value & ~u64{15}) != 0) return context.raise(kVectorGp, 0);
      context.lapic->set_task_priority(static_cast<u8>(value << 4));
      context.exit_request.store(1);  // a lower priority may let an interrupt in
      return true;
    default: return context.raise(kVectorUd);
  }
}

bool read_cr(Context& context, unsigned index, u64* value) {
  switch (index) {
    case 0: *value = context.cr0; return true;
    case 2: *value = context.cr2; return true;
    case 3: *value = context.cr3; return true;
    case 4: *value = context.cr4; return true;
    case 8: *value = context.lapic->task_priority() >> 4; return true;
    default: return context.raise(kVectorUd);
  }
}

bool write_dr(Context& context, unsigned index, u64 value) {
  if ((index == 4 || index == 5) && (context.cr4 & 8) != 0) return context.raise(kVectorUd);
  if (index == 4 || index == 5) index += 2;
  if (index >= 6 && (value >> 32) != 0) return context.raise(kVectorGp, 0);
  if (index == 6) value = (value & 0xE00F) | 0xFFFF0FF0;
  if (index == 7) value = (value & 0xFFFF2FFF) | 0x400;
  context.dr[index] = value;
  return true;
}

bool read_dr(Context& context, unsigned index, u64* value) {
  if ((index == 4 || index == 5) && (context.cr4 & 8) != 0) return context.raise(kVectorUd);
  if (index == 4 || index == 5) index += 2;
  *value = context.dr[index];
  return true;
}

// SDM vol. 3, table 9-1.
void reset_context(Context& context) {
  context.gpr = {};
  context.gpr[kRdx] = kCpuSignature;
  context.rip = 0xFFF0;
  context.set_flags(2);
  for (Segment& segment : context.segment) segment = real_segment(0);
  context.segment[kCs] = {0xF000, x86::kPresentBit | x86::kCodeOrData | x86::kTypeCode | 3, 0xFFFF, 0xFFFF0000};
  context.ldtr = {0, x86::kUnusable, 0, 0};
  context.tr = {0, x86::kPresentBit | x86::kTypeTss32Busy, 0xFFFF, 0};
  context.gdtr = {0, 0xFFFF};
  context.idtr = {0, 0xFFFF};
  context.cr0 = 0x60000010;
  context.cr2 = context.cr3 = context.cr4 = context.cr8 = context.efer = 0;
  context.xcr0 = 1;
  context.dr = {};
  context.dr[6] = 0xFFFF0FF0;
  context.dr[7] = 0x400;
  context.cpl = 0;
  context.star = context.lstar = context.cstar = context.sfmask = context.kernel_gs_base = 0;
  context.sysenter_cs = context.sysenter_esp = context.sysenter_eip = 0;
  context.pat = 0x0007040600070406;
  context.misc_enable = 1 | 1U << 11 | 1U << 12;  // fast strings; no BTS, no PEBS
  // As firmware leaves them: everything write-back.
  context.mtrr_def_type = 0xC06;
  context.mtrr_variable = {};
  context.mtrr_fixed.fill(0x0606060606060606);
  context.mxcsr = 0x1F80;
  context.vector = {};
  context.fx = {};
  context.fx[0] = 0x7F;  // FCW 0x037F
  context.fx[1] = 0x03;
  context.shadow = context.nmi_blocked = context.nmi_pending = false;
}

void start_at_sipi(Context& context, u8 vector) {
  context.segment[kCs].selector = static_cast<u16>(vector << 8);
  context.segment[kCs].base = u64{vector} << 12;
  context.rip = 0;
  context.run_state = RunState::kRunning;
}

}  // namespace pileus::engine::bt
