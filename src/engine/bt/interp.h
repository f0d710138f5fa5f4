// The interpreter: one instruction at a time, all modes. It is the slow path of translated code, runs what is rare or
// privileged and everything outside of 64-bit mode, and is the reference the translator is compared with.
#pragma once

#include <Zydis/Zydis.h>

#include "engine/bt/context.h"
#include "engine/cpu_model.h"

namespace pileus::engine::bt {

// A decoded instruction: what Zydis says, with all explicit and hidden operands.
struct Insn {
  ZydisDecodedInstruction info;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operand;
  std::array<u8, 16> bytes;
};

// Instructions that step() has decoded lately, by address and bytes: all code that is not 64-bit, and what of 64-bit code is
// stepped over and over, such as instructions next to data that is written. Zeros are an empty one; memory that is not
// needed is not touched.
struct DecodeCache {
  struct Entry {
    std::array<u8, 15> bytes;
    u8 code_bits;  // 0: empty
    Insn insn;
  };
  std::array<Entry, 2048> entry;
};

enum class StepResult : u8 {
  kNext,  // executed (a fault, if any, was delivered); RIP is where to go on
  kHalt,  // HLT executed: RIP is past it, run_state is kHalted
  kShutdown,  // triple fault
};

// Fetches, decodes and executes the instruction at CS:RIP, faults delivered inside. A REP string instruction may stop
// early, with RIP at itself and registers updated, when exit_request is set.
StepResult step(Context& context);

// The same for an instruction decoded before (by the translator); `insn` is at context.rip, 64-bit code.
StepResult execute(Context& context, const Insn& insn);

// The 64-bit instruction at RIP, if it has been decoded lately and can be fetched; else nullptr.
const Insn* find_decoded(Context& context);

// Decodes bytes for the current code size (64, 32 or 16 bits); false when they are no instruction.
bool decode(const u8* bytes, unsigned length, unsigned code_bits, Insn* insn);

// Whether CPUID offers the guest the extension that the instruction belongs to. Nothing else may run natively: what came
// later may take addresses in registers, which would be the host's.
bool is_offered(const Insn& insn, const CpuFeatures& features);
// A VEX-encoded instruction that works on vector registers.
bool is_vex_vector(const ZydisDecodedInstruction& info);
// Whether its memory operand of `size` bytes raises #GP unless it is aligned: 16-byte operands do, but for those of a few
// instructions (SDM vol. 1, 11.3 and 14.9). With SHA, which is left out, it depends on the processor.
bool needs_alignment(const Insn& insn, unsigned size);
bool is_x87(const ZydisDecodedInstruction& info);
// Whether a pending x87 exception comes before anything that the instruction does (SDM vol. 1, 8.3.12).
bool waits_for_x87(const Insn& insn);

// Runs one vector, x87 or other user-level instruction that touches no control flow natively on the host, with its
// explicit memory operand, if any, replaced by [buffer]. The guest's registers are loaded before and saved after.
// False: it raised a host fault (#DE, #MF, #XM, #GP for alignment), now in context.fault. Implemented by the
// translator's emitter (native_cell.cc). Only for instructions whose bytes mean the same in 64-bit mode, i.e. decoded
// in 64-bit mode, or vector and x87 ones whose memory operand is replaced.
bool execute_native(Context& context, const Insn& insn, void* buffer);

}  // namespace pileus::engine::bt
