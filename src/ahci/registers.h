// Registers of an AHCI host bus adapter (AHCI 1.3.1, 3) in its memory BAR: those of the adapter, then 128 bytes for each port.
#pragma once

#include "base/ints.h"

namespace pileus::ahci {

inline constexpr u32 kMaxPorts = 32;
inline constexpr u32 kSlots = 32;  // commands that a port can hold
inline constexpr u64 kPortsAt = 0x100, kPortBytes = 0x80;

// Of the adapter.
inline constexpr u64 kCap = 0x00, kGhc = 0x04, kIs = 0x08, kPi = 0x0C, kVs = 0x10;
inline constexpr u32 kCap64Bit = 1u << 31, kCapQueuing = 1u << 30, kCapListOverride = 1u << 24,
                     kCapThirdGeneration = 3u << 20, kCapAhciOnly = 1u << 18;
inline constexpr unsigned kCapSlotsShift = 8;
inline constexpr u32 kGhcReset = 1u << 0, kGhcInterrupts = 1u << 1, kGhcAhci = 1u << 31;
inline constexpr u32 kVersion = 0x00010301;

// Of a port.
inline constexpr u64 kPxClb = 0x00, kPxClbu = 0x04, kPxFb = 0x08, kPxFbu = 0x0C, kPxIs = 0x10, kPxIe = 0x14,
                     kPxCmd = 0x18, kPxTfd = 0x20, kPxSig = 0x24, kPxSsts = 0x28, kPxSctl = 0x2C, kPxSerr = 0x30,
                     kPxSact = 0x34, kPxCi = 0x38;

// PxIS and PxIE (3.3.5). Three are what PxSERR says.
inline constexpr u32 kIntRegisters = 1u << 0, kIntPioSetup = 1u << 1, kIntSetBits = 1u << 3, kIntConnect = 1u << 6,
                     kIntPhyReady = 1u << 22, kIntOverflow = 1u << 24, kIntInterface = 1u << 27, kIntHostBus = 1u << 29,
                     kIntTaskFile = 1u << 30;
inline constexpr u32 kIntAll = 0xFDC000FF;

// PxCMD (3.3.7).
inline constexpr u32 kCmdStart = 1u << 0, kCmdSpinUp = 1u << 1, kCmdPowerOn = 1u << 2, kCmdListOverride = 1u << 3,
                     kCmdReceive = 1u << 4, kCmdReceiving = 1u << 14, kCmdRunning = 1u << 15, kCmdHotPlug = 1u << 18,
                     kCmdAtapi = 1u << 24;
inline constexpr unsigned kCmdSlotShift = 8;

// PxSCTL and PxSSTS (3.3.10, 3.3.11): device detection and speed.
inline constexpr u32 kDetectMask = 0xF, kDetectReset = 1, kDetectThere = 3, kDetectOff = 4;
inline constexpr unsigned kSpeedShift = 4;
inline constexpr u32 kFastest = 3, kPowerActive = 1u << 8;

// PxSERR (3.3.12).
inline constexpr u32 kErrPhyReadyChanged = 1u << 16, kErrExchanged = 1u << 26;

// The area for received FISes (4.2.1).
inline constexpr u64 kPioSetupAt = 0x20, kRegistersAt = 0x40, kSetBitsAt = 0x58;

}  // namespace pileus::ahci
