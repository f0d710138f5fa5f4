// Exec: one instruction being interpreted, and access to its operands.
//
// Functions that return bool: false = a fault is in context.fault and nothing was changed.
#pragma once

#include "engine/bt/context.h"
#include "engine/bt/interp.h"
#include "engine/bt/stack.h"

namespace pileus::engine::bt {

struct Exec {
  Context& context;
  const Insn& insn;
  u64 next;               // RIP to go on at; control transfers change it
  bool shadow = false;    // starts an interrupt shadow
  bool repeat = false;    // a REP instruction stopped early: RIP stays
  bool stepped = false;   // it did so because each repetition is a step

  const ZydisDecodedOperand& operand(unsigned i) const { return insn.operand[i]; }
  unsigned width(unsigned i) const { return insn.operand[i].size; }
  bool is_memory(unsigned i) const { return insn.operand[i].type == ZYDIS_OPERAND_TYPE_MEMORY; }
  bool has(ZydisInstructionAttributes attribute) const { return (insn.info.attributes & attribute) != 0; }
};

u64 code_mask(const Context& context);  // of RIP in the current code size

u64 read_register(const Context& context, ZydisRegister reg);
void write_register(Context& context, ZydisRegister reg, u64 value);  // a 32-bit write clears the upper half

u64 effective_address(const Exec& e, const ZydisDecodedOperandMem& mem);  // within its segment
// Linear address of a memory operand, `size` bytes, limits and canonical form checked.
bool linear_address(Exec& e, const ZydisDecodedOperand& operand, unsigned size, u64* out);
bool linear_address(Exec& e, ZydisRegister segment, u64 offset, unsigned size, bool write, u64* out);

// Values up to 64 bits: register, memory or immediate.
bool read_operand(Exec& e, unsigned i, u64* value);
bool write_operand(Exec& e, unsigned i, u64 value);

// operand = f(operand), atomically with LOCK (XCHG always); flags must be set by the caller after it returned true.
template <typename F>
bool modify_operand(Exec& e, unsigned i, F&& f);
// The same for a memory operand that need not be one of the instruction's own.
template <typename F>
bool modify_memory(Exec& e, const ZydisDecodedOperand& operand, F&& f);

// For modify_operand on memory.
struct Target {
  u64 linear = 0;
  u64 gpa = 0;
  u8* host = nullptr;
  unsigned size = 0;
};
bool begin_modify(Exec& e, const ZydisDecodedOperand& operand, Target* out);
bool read_target(Exec& e, const Target& target, u64* value);
bool compare_exchange(u8* host, unsigned size, u64* expected, u64 desired);  // locked
bool finish_modify(Exec& e, const Target& target, u64 value);
void begin_exclusive_access(Exec& e);
void end_exclusive_access(Exec& e);

// Stack of the current mode.
bool read_stack(Exec& e, u64 pointer, unsigned bytes, u64* value);
bool push(Exec& e, u64 value, unsigned bytes);
bool pop(Exec& e, unsigned bytes, u64* value);

template <typename F>
bool modify_memory(Exec& e, const ZydisDecodedOperand& operand, F&& f) {
  Target target;
  if (!begin_modify(e, operand, &target)) return false;
  const bool locked = e.has(ZYDIS_ATTRIB_HAS_LOCK) || e.insn.info.mnemonic == ZYDIS_MNEMONIC_XCHG;
  u64 old = 0;
  if (locked && target.host != nullptr) {
    __builtin_memcpy(&old, target.host, target.size);
    while (!compare_exchange(target.host, target.size, &old, f(old))) {
    }
    return finish_modify(e, target, 0);
  }
  if (locked) begin_exclusive_access(e);
  bool fine = true;
  if (target.host != nullptr) {
    __builtin_memcpy(&old, target.host, target.size);
    const u64 value = f(old);
    __builtin_memcpy(target.host, &value, target.size);
    fine = finish_modify(e, target, 0);
  } else {
    fine = read_target(e, target, &old) && finish_modify(e, target, f(old));
  }
  if (locked) end_exclusive_access(e);
  return fine;
}

template <typename F>
bool modify_operand(Exec& e, unsigned i, F&& f) {
  if (e.is_memory(i)) return modify_memory(e, e.operand(i), f);
  const ZydisRegister reg = e.operand(i).reg.value;
  write_register(e.context, reg, f(read_register(e.context, reg)));
  return true;
}

}  // namespace pileus::engine::bt
