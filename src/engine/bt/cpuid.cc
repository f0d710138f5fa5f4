// The CPUID policy: an x86-64-v2 processor that needs no costly mitigations.
//
// Linux takes GenuineIntel with the *_NO bits of IA32_ARCH_CAPABILITIES and enhanced IBRS as immune to Meltdown, MDS,
// TAA, L1TF and the rest, and skips page-table isolation and retpolines, which would be pure cost under translation.
// Instructions that run natively are offered only where the host has them.
#include <cpuid.h>

#include <cstring>

#include "engine/bt/paravirt.h"
#include "engine/bt/system.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {

struct Leaf {
  u32 eax = 0, ebx = 0, ecx = 0, edx = 0;
};

constexpr u32 bit(unsigned i) { return 1U << i; }

Leaf host_leaf(u32 leaf, u32 subleaf) {
  Leaf out;
  __get_cpuid_count(leaf, subleaf, &out.eax, &out.ebx, &out.ecx, &out.edx);
  return out;
}

Leaf text(const char* part) {
  Leaf out;
  std::memcpy(&out, part, 16);
  return out;
}

constexpr u32 kMaxLeaf = 0x16;
constexpr u32 kSignature = 0x000606A6;  // family 6, model 106, stepping 6

Leaf features(const Context& context) {
  static const Leaf host = host_leaf(1, 0);  // CPUID can be slow where the host is a guest itself
  const u32 cpus = context.vm->config().cpu_count;
  // SSE3 PCLMUL SSSE3 CX16 SSE4.1 SSE4.2 POPCNT AES RDRAND run natively
  constexpr u32 kNative = bit(0) | bit(1) | bit(9) | bit(13) | bit(19) | bit(20) | bit(23) | bit(25) | bit(30);
  const u32 ecx = (host.ecx & kNative) | bit(21) | bit(24) | bit(31);  // x2APIC, TSC deadline, hypervisor
  // FPU DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2 HTT
  constexpr u32 kEdx = bit(0) | bit(2) | bit(3) | bit(4) | bit(5) | bit(6) | bit(7) | bit(8) | bit(9) | bit(11) |
                       bit(12) | bit(13) | bit(14) | bit(15) | bit(16) | bit(17) | bit(19) | bit(23) | bit(24) |
                       bit(25) | bit(26);
  return {kSignature, context.id << 24 | (cpus & 0xFF) << 16 | 8 << 8, ecx, kEdx | (cpus > 1 ? bit(28) : 0)};
}

Leaf extended_features() {
  static const Leaf host = host_leaf(7, 0);
  const u32 native = host.ebx & (bit(18) | bit(19) | bit(29));  // RDSEED ADX SHA
  const u32 ebx = native | bit(0) | bit(7) | bit(9) | bit(20);  // FSGSBASE SMEP ERMS SMAP
  // FSRM, IBRS/IBPB, STIBP, ARCH_CAPABILITIES, SSBD
  return {0, ebx, 0, bit(4) | bit(26) | bit(27) | bit(29) | bit(31)};
}

Leaf caches(u32 subleaf) {
  // Deterministic cache parameters (SDM vol. 2, CPUID leaf 4): 48 KiB data, 32 KiB code, 1.25 MiB, 16 MiB
  switch (subleaf) {
    case 0: return {0x0121 | 0 << 26, (11U << 22) | 63, 63, 0};
    case 1: return {0x0122, (7U << 22) | 63, 63, 0};
    case 2: return {0x0143, (19U << 22) | 63, 1023, 0};
    case 3: return {0x0163, (15U << 22) | 63, 16383, bit(2)};
    default: return {};
  }
}

Leaf topology(const Context& context, u32 subleaf) {
  const u32 cpus = context.vm->config().cpu_count;
  u32 shift = 0;
  while ((1U << shift) < cpus) ++shift;
  switch (subleaf) {
    case 0: return {0, 1, 0 | 1 << 8, context.id};
    case 1: return {shift, cpus, 1 | 2 << 8, context.id};
    default: return {0, 0, subleaf, context.id};
  }
}

Leaf basic(const Context& context, u32 leaf, u32 subleaf) {
  const auto khz = static_cast<u32>(tsc_khz());
  switch (leaf) {
    case 0: return {kMaxLeaf, 0x756E6547, 0x6C65746E, 0x49656E69};  // GenuineIntel
    case 1: return features(context);
    case 2: return {0x00FEFF01, 0x000000F0, 0, 0};
    case 4: return caches(subleaf);
    case 6: return {bit(2), 0, 0, 0};  // ARAT
    case 7: return subleaf == 0 ? extended_features() : Leaf{};
    case 0xB: return topology(context, subleaf);
    // TSC = 10 MHz crystal * EBX / EAX. Linux multiplies kHz by EBX in 32 bits, which bounds EAX.
    case 0x15: return {500, khz / 20, 10'000'000, 0};
    case 0x16: return {khz / 1000, khz / 1000, 100, 0};
    default: return {};
  }
}

Leaf hypervisor(const Context& context, u32 leaf) {
  if (leaf == 0x40000000) {
    return context.vm->config().paravirt ? Leaf{0x40000001, 0x4B4D564B, 0x564B4D56, 0x4D} : Leaf{};
  }
  if (!context.vm->config().paravirt) return {};
  // CLOCKSOURCE NOP_IO_DELAY CLOCKSOURCE2 STEAL_TIME PV_EOI PV_UNHALT PV_TLB_FLUSH PV_SEND_IPI POLL_CONTROL
  // PV_SCHED_YIELD MSI_EXT_DEST_ID CLOCKSOURCE_STABLE
  return {
      bit(0) | bit(1) | bit(3) | bit(5) | bit(6) | bit(7) | bit(9) | bit(11) | bit(12) | bit(13) | bit(15) | bit(24), 0,
      0, 0};
}

Leaf extended(const Context& context, u32 leaf) {
  static const char kBrand[49] = "Pileus BT virtual processor (x86-64-v2)\0\0\0\0\0\0\0\0";
  switch (leaf) {
    case 0x80000000: return {0x80000008, 0, 0, 0};
    case 0x80000001: {
      constexpr u32 kEdx = bit(11) | bit(20) | bit(26) | bit(27) | bit(29);  // SYSCALL NX 1GB RDTSCP LM
      return {0, 0, bit(0), context.code64() ? kEdx : kEdx & ~bit(11)};     // LAHF
    }
    case 0x80000002: return text(kBrand);
    case 0x80000003: return text(kBrand + 16);
    case 0x80000004: return text(kBrand + 32);
    case 0x80000006: return {0, 0, 0x05007040, 0};
    case 0x80000007: return {0, 0, 0, bit(8)};  // invariant TSC
    case 0x80000008: return {0x302E, 0, 0, 0};  // 46 physical, 48 virtual bits
    default: return {};
  }
}

}  // namespace

void do_cpuid(Context& context) {
  const auto leaf = static_cast<u32>(context.gpr[kRax]);
  const auto subleaf = static_cast<u32>(context.gpr[kRcx]);
  Leaf out;
  if (leaf >= 0x80000000) out = extended(context, leaf);
  else if (leaf >= 0x40000000 && leaf < 0x40000100) out = hypervisor(context, leaf);
  else out = basic(context, leaf > kMaxLeaf ? kMaxLeaf : leaf, subleaf);
  context.gpr[kRax] = out.eax;
  context.gpr[kRbx] = out.ebx;
  context.gpr[kRcx] = out.ecx;
  context.gpr[kRdx] = out.edx;
}

}  // namespace pileus::engine::bt
