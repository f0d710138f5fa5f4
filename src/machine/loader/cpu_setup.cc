#include "machine/loader/cpu_setup.h"

#include <cstring>

#include "base/result.h"
#include "machine/layout.h"

namespace pileus::machine {

namespace {

constexpr u64 kPage = 4096;

// Access rights as in engine::Segment.
constexpr u32 kCode64 = 0xA09B;    // G, L, present, code, readable, accessed
constexpr u32 kCode32 = 0xC09B;    // G, D, present, code, readable, accessed
constexpr u32 kData32 = 0xC093;    // G, D/B, present, data, writable, accessed
constexpr u32 kRealCode = 0x009B;  // present, code, readable, accessed
constexpr u32 kRealData = 0x0093;  // present, data, writable, accessed
constexpr u32 kLdt = 0x0082;       // present, LDT
constexpr u32 kTssBusy = 0x008B;   // present, busy TSS
constexpr u64 kCode64Descriptor = 0x00AF9B000000FFFF;
constexpr u64 kCode32Descriptor = 0x00CF9B000000FFFF;
constexpr u64 kData32Descriptor = 0x00CF93000000FFFF;
constexpr u16 kBootCs = 0x10;  // boot.rst: __BOOT_CS
constexpr u16 kBootDs = 0x18;  // boot.rst: __BOOT_DS

constexpr u64 kCr0Pe = 1, kCr0Et = 1 << 4, kCr0Ne = 1 << 5, kCr0Wp = 1 << 16;
constexpr u64 kCr0Nw = 1 << 29, kCr0Cd = 1 << 30, kCr0Pg = u64{1} << 31;
constexpr u64 kCr4Pae = 1 << 5;
constexpr u64 kEferLme = 1 << 8, kEferLma = 1 << 10;

constexpr u32 kMsrMiscEnable = 0x1A0, kMsrPat = 0x277, kMsrMtrrDefType = 0x2FF;

void put_word(engine::CpuState& state, u64 offset, u32 value) {
  std::memcpy(state.xsave.data() + offset, &value, sizeof value);
}

// x87 and SSE at their initial values (Intel SDM vol. 1, 13.6), marked present so that a restore
// loads them.
void set_initial_fpu(engine::CpuState& state) {
  put_word(state, 0, 0x037F);   // FCW; FSW and FTW are 0
  put_word(state, 24, 0x1F80);  // MXCSR
  put_word(state, 28, 0xFFFF);  // MXCSR_MASK
  put_word(state, 512, 3);      // XSTATE_BV
}

// Intel SDM vol. 3, 11.4.7.1 "Local APIC State After Power-Up".
void set_initial_lapic(engine::LapicState& lapic, u32 apic_id) {
  constexpr u32 kMasked = 0x10000;
  lapic.registers[0x02] = apic_id << 24;  // xAPIC format
  lapic.registers[0x03] = 0x50014;        // six LVT entries
  lapic.registers[0x0E] = 0xFFFFFFFF;     // DFR: flat model
  lapic.registers[0x0F] = 0xFF;           // SVR
  for (u32 lvt = 0x32; lvt <= 0x37; ++lvt) lapic.registers[lvt] = kMasked;
  constexpr u64 kEnabled = 0x800, kBootCpu = 0x100;
  lapic.base_msr = kLocalApic | kEnabled | (apic_id == 0 ? kBootCpu : 0);
}

void write_gdt(guest::GuestMemory& memory, u64 code_descriptor) {
  const std::array<u64, 4> gdt{0, 0, code_descriptor, kData32Descriptor};
  CHECK(memory.write(kBootGdt, {reinterpret_cast<const u8*>(gdt.data()), sizeof gdt}));
}

// PML4, one PDPT, four page directories, one after another.
void write_page_tables(guest::GuestMemory& memory) {
  constexpr u64 kPresentWrite = 3, kLarge = 0x80, kLargePage = 2 * kMiB, kEntries = 512;
  std::array<u64, 6 * kEntries> tables{};
  constexpr u64 kPdpt = kBootPageTables + kPage;
  tables[0] = kPdpt | kPresentWrite;
  for (u64 i = 0; i < 4; ++i) tables[kEntries + i] = (kPdpt + (i + 1) * kPage) | kPresentWrite;
  for (u64 i = 0; i < 4 * kEntries; ++i) tables[2 * kEntries + i] = i * kLargePage | kPresentWrite | kLarge;
  CHECK(memory.write(kBootPageTables, {reinterpret_cast<const u8*>(tables.data()), sizeof tables}));
}

}  // namespace

engine::CpuState reset_state(u32 apic_id) {
  engine::CpuState state;
  for (engine::Segment& segment : state.segment) segment = {0, kRealData, 0xFFFF, 0};
  state.segment[engine::kCs] = {0xF000, kRealCode, 0xFFFF, 0xFFFF0000};
  state.rip = 0xFFF0;
  state.ldtr = {0, kLdt, 0xFFFF, 0};
  state.tr = {0, kTssBusy, 0xFFFF, 0};
  state.gdtr = {0, 0xFFFF};
  state.idtr = {0, 0xFFFF};
  state.cr0 = kCr0Cd | kCr0Nw | kCr0Et;
  state.dr[6] = 0xFFFF0FF0;
  state.dr[7] = 0x400;
  set_initial_fpu(state);
  set_initial_lapic(state.lapic, apic_id);
  constexpr u64 kFastStrings = 1, kPatReset = 0x0007040600070406, kMtrrsOnWriteBack = 0x806;
  state.msrs = {{kMsrMiscEnable, kFastStrings}, {kMsrPat, kPatReset}, {kMsrMtrrDefType, kMtrrsOnWriteBack}};
  // Where the kernel is entered: SYSENTER, SYSCALL, the other GS base. A reset must not leave the former kernel's.
  for (const u32 index : {0x174u, 0x175u, 0x176u, 0xC0000081u, 0xC0000082u, 0xC0000083u, 0xC0000084u, 0xC0000102u}) {
    state.msrs.push_back({index, 0});
  }
  state.run_state = engine::RunState::kWaitForSipi;
  return state;
}

// Linux: Documentation/virt/kvm/x86/msr.rst. Polling while halted is on at first, everything else off.
void reset_paravirt(engine::CpuState& state) {
  constexpr u32 kWallClock = 0x4B564D00, kSystemTime = 0x4B564D01, kStealTime = 0x4B564D03, kEoi = 0x4B564D04;
  constexpr u32 kPollControl = 0x4B564D05;
  for (const u32 index : {kWallClock, kSystemTime, kStealTime, kEoi}) state.msrs.push_back({index, 0});
  state.msrs.push_back({kPollControl, 1});
}

void wire_lapic_through(engine::LapicState& lapic) {
  constexpr u32 kSvr = 0x0F, kLint0 = 0x35, kLint1 = 0x36, kSoftwareEnable = 0x100, kExtInt = 0x700, kNmi = 0x400;
  lapic.registers[kSvr] |= kSoftwareEnable;
  lapic.registers[kLint0] = kExtInt;
  lapic.registers[kLint1] = kNmi;
}

engine::CpuState enter_long_mode(guest::GuestMemory& memory, u64 entry, u64 zero_page) {
  write_gdt(memory, kCode64Descriptor);
  write_page_tables(memory);
  engine::CpuState state = reset_state(0);
  for (engine::Segment& segment : state.segment) segment = {kBootDs, kData32, 0xFFFFFFFF, 0};
  state.segment[engine::kCs] = {kBootCs, kCode64, 0xFFFFFFFF, 0};
  state.gdtr = {kBootGdt, 4 * 8 - 1};
  state.idtr = {0, 0};  // an early fault is a triple fault, not a jump into zeros
  state.cr0 = kCr0Pe | kCr0Et | kCr0Ne | kCr0Wp | kCr0Pg;
  state.cr3 = kBootPageTables;
  state.cr4 = kCr4Pae;
  state.efer = kEferLme | kEferLma;
  state.rip = entry;
  state.gpr[engine::kRsi] = zero_page;
  state.run_state = engine::RunState::kRunning;
  return state;
}

engine::CpuState enter_protected_mode(guest::GuestMemory& memory, u32 entry) {
  write_gdt(memory, kCode32Descriptor);
  engine::CpuState state = reset_state(0);
  for (engine::Segment& segment : state.segment) segment = {kBootDs, kData32, 0xFFFFFFFF, 0};
  state.segment[engine::kCs] = {kBootCs, kCode32, 0xFFFFFFFF, 0};
  state.gdtr = {kBootGdt, 4 * 8 - 1};
  state.idtr = {0, 0};
  state.cr0 = kCr0Pe | kCr0Et;
  state.rip = entry;
  state.run_state = engine::RunState::kRunning;
  return state;
}

}  // namespace pileus::machine
