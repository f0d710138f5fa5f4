// The guest-physical address map and the I/O ports of the board. Everything that must agree with
// dsdt.asl is here and checked against it by acpi/tables_test.cc.
//
//   0x00000500  GDT for the boot                      0xB0000000  ECAM, one bus: 1 MiB
//   0x00007000  zero page (boot_params)               0xC0000000  PCI memory window, 32-bit
//   0x00009000  page tables for the boot, 6 pages     0xFEC00000  IOAPIC
//   0x0000F000  setup_data (random seed)              0xFEE00000  local APICs (inside the engine)
//   0x00020000  command line                          4 GiB       RAM that does not fit below ECAM
//   0x000E0000  ACPI tables, reserved                 256 GiB     PCI memory window, 64-bit
//   0x000F0000  SMBIOS tables, reserved
//   0x000FFFF0  code that resets, reserved
//   0x00100000  RAM up to ECAM
#pragma once

#include "base/ints.h"

namespace pileus::machine {

inline constexpr u64 kBootGdt = 0x500;
inline constexpr u64 kZeroPage = 0x7000;
inline constexpr u64 kBootPageTables = 0x9000;
inline constexpr u64 kSetupData = 0xF000;
inline constexpr u64 kCommandLine = 0x20000;
inline constexpr u64 kCommandLineLimit = 0x10000;  // room, with the final NUL
inline constexpr u64 kLowRamEnd = 0x9FC00;         // a PC's extended BIOS data area starts here
inline constexpr u64 kAcpiTables = 0xE0000;
inline constexpr u64 kAcpiTablesEnd = 0xF0000;
inline constexpr u64 kSmbios = 0xF0000;  // the entry point: guests look for it from here on
inline constexpr u64 kSmbiosStructures = 0xF0020;
inline constexpr u64 kSmbiosEnd = 0xFFFF0;
inline constexpr u64 kResetVector = 0xFFFF0;
inline constexpr u64 kHighRamStart = 0x100000;

inline constexpr u64 kEcam = 0xB0000000;
inline constexpr u64 kEcamSize = kMiB;  // one bus: 32 devices * 8 functions * 4 KiB
inline constexpr u64 kRamHole = kEcam;  // RAM below 4 GiB ends here
inline constexpr u64 kPciMemory32 = 0xC0000000;
inline constexpr u64 kPciMemory32Size = 0x3EC00000;
inline constexpr u64 kIoapic = 0xFEC00000;
inline constexpr u64 kIoapicSize = 0x1000;
inline constexpr u64 kLocalApic = 0xFEE00000;
inline constexpr u64 kPciMemory64 = 256 * kGiB;
inline constexpr u64 kPciMemory64Size = 128 * kGiB;

inline constexpr u64 kMinMemory = 32 * kMiB;
inline constexpr u64 kMaxMemory = 252 * kGiB;  // 2.75 GiB lie below 4 GiB, the rest must end below kPciMemory64
inline constexpr u32 kMaxCpus = 254;           // 8-bit APIC ids without broadcast

inline constexpr u16 kPortI8042Data = 0x60;
inline constexpr u16 kPortI8042Command = 0x64;
inline constexpr u16 kPortCmos = 0x70;
inline constexpr u16 kPortPost = 0x80;
inline constexpr u16 kPortExit = 0xF4;  // ExitPort, where it is wished for
inline constexpr u16 kPortSerial = 0x3F8;
inline constexpr u16 kPortPower = 0x600;  // PowerPorts: sleep control, sleep status, reset
inline constexpr u16 kPortSlots = 0x620;  // SlotPorts
// Only with firmware:
inline constexpr u16 kPortFwCfg = 0x510;
inline constexpr u16 kPortFirmwareDebug = 0x402;
// Only with legacy devices:
inline constexpr u16 kPortPic = 0x20, kPortSecondPic = 0xA0, kPortPicLevels = 0x4D0;
inline constexpr u16 kPortPit = 0x40;
inline constexpr u16 kPortSystemControl = 0x61;  // channel 2 of the PIT
inline constexpr u16 kPortFastA20 = 0x92;
inline constexpr u16 kPortAcpiPm = 0x608;  // AcpiPm
inline constexpr u16 kPortPciAddress = 0xCF8;

inline constexpr u32 kGsiSerial = 4;
inline constexpr u32 kGsiPowerButton = 5;
inline constexpr u32 kGsiSlots = 6;
inline constexpr u32 kGsiSata = 11;  // INTA# of the SATA adapter; the other functions have none
// Only with legacy devices: ISA interrupts, which are IOAPIC pins of the same number, but for the timer's.
inline constexpr u32 kIrqTimer = 0, kIrqRtc = 8, kIrqSci = 9;
inline constexpr u32 kGsiTimer = 2;

}  // namespace pileus::machine
