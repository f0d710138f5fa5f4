// Trace: the guest instructions of one block, decoded and sorted into how each is translated.
#pragma once

#include <array>

#include "engine/bt/context.h"
#include "engine/bt/interp.h"

namespace pileus::engine::bt {

enum class Kind : u8 {
  kCopy,          // the same instruction with host registers and, if any, a probed memory operand
  kNop,           // nothing to do
  kPush,          // PUSH of a register, immediate or memory
  kPop,           // POP to a register
  kLeave,
  kClearIf,       // CLI at CPL 0
  kSetIf,         // STI at CPL 0
  kDirection,     // CLD, STD
  kSetAc,         // STAC, CLAC at CPL 0; the block ends
  kSwapGs,        // at CPL 0
  kReadTsc,       // RDTSC, RDTSCP at CPL 0
  kPushFlags,     // PUSHFQ
  kReadControl,   // MOV from CR2 or CR3 at CPL 0
  kReadSelector,  // MOV from a segment register to a general one
  kStringStore,   // REP STOS
  kStringCopy,    // REP MOVS
  kBitTest,       // BT, BTS, BTR, BTC of memory with the number in a register
  kCall,          // near, direct
  kCallIndirect,  // near, register or memory
  kJump,
  kJumpIndirect,
  kBranch,        // Jcc
  kCountBranch,   // LOOP, JRCXZ
  kReturn,        // near
  kInterpret,     // by the interpreter, then on with the block
  kInterpretEnd,  // by the interpreter; the block ends
  kStraddle,      // goes on in the next page: fetched anew by the interpreter each time; alone in its block
};

// Whether the next instruction may follow: if not, the block ends here.
bool falls_through(Kind kind);

struct TraceInsn {
  Insn insn;
  Kind kind = Kind::kInterpret;
  u16 page_offset = 0;
  bool flags_live = true;  // some arithmetic flag is needed by this instruction or by what follows
  bool straddles = false;  // its end was read from the next page, and has to be found there again each time
  bool drops_rep = false;  // TZCNT and LZCNT where not offered mean BSF and BSR, whose prefix F3 says nothing
  i8 memory_operand = -1;  // explicit memory operand of a kCopy, kPush, kBitTest, kCallIndirect, kJumpIndirect
};

inline constexpr unsigned kMaxTrace = 48;
inline constexpr unsigned kMaxInsnBytes = 15;

struct Trace {
  std::array<TraceInsn, kMaxTrace> at;
  unsigned count = 0;  // 0: the first bytes are no instruction
  u16 end_offset = 0;  // page offset behind the last instruction; beyond 4096 when it straddles
};

// Decodes from `bytes` (the rest of the page, or a bounded part of it) at `page_offset`, 64-bit code.
void decode_trace(const u8* bytes, unsigned length, u16 page_offset, Mode mode, u8 usable, const CpuFeatures& features,
                  Trace* trace);

// The same for the one instruction that a kStraddle stood for: `bytes` are the rest of its page and the first ones of the
// next. False, and `trace` is as it was, when they make no instruction.
bool decode_straddling(const u8* bytes, unsigned length, u16 page_offset, Mode mode, u8 usable,
                       const CpuFeatures& features, Trace* trace);

// 0-15 for a general register of any width, or kNoReg. *high is set for AH, CH, DH, BH.
unsigned gpr_number(ZydisRegister reg, bool* high);

}  // namespace pileus::engine::bt
