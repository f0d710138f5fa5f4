#include "engine/bt/stubs.h"

#include <cstddef>

#include "engine/bt/registers.h"

namespace pileus::engine::bt {

namespace {

constexpr unsigned kRaxReg = 0, kRdxReg = 2, kRspReg = 4, kRsiReg = 6, kRdiReg = 7;
constexpr u64 kGprOffset = offsetof(Context, gpr);
constexpr u64 kReturnRsp = offsetof(Context, returns) + offsetof(ReturnStack, rsp);

void vector_moves(Assembler& out, bool store, bool ymm) {
  for (unsigned i = 0; i < 16; ++i) {
    out.byte(0x65);
    if (ymm) {  // vmovups ymm, gs:[]
      out.byte(0xC5), out.byte(i < 8 ? 0xFC : 0x7C);
    } else {  // movups xmm, gs:[]
      if (i >= 8) out.byte(0x44);
      out.byte(0x0F);
    }
    out.byte(store ? 0x11 : 0x10), out.byte(0x04 | (i & 7) << 3), out.byte(0x25);
    out.dword(static_cast<u32>(offsetof(Context, vector) + 32 * i));
  }
  if (ymm && store) out.byte(0xC5), out.byte(0xF8), out.byte(0x77);  // vzeroupper: C++ code is compiled for SSE
}

void mxcsr_move(Assembler& out, bool store, u64 offset) {  // stmxcsr, ldmxcsr gs:[]
  out.byte(0x65), out.byte(0x0F), out.byte(0xAE), out.byte(store ? 0x1C : 0x14), out.byte(0x25);
  out.dword(static_cast<u32>(offset));
}

void code(Assembler& out, std::initializer_list<unsigned> bytes) {
  for (const unsigned value : bytes) out.byte(value);
}

u64 jump_cache_offset(Mode mode) { return offsetof(Context, jump) + (mode == kModeUser ? sizeof(JumpCache) : 0); }

// The guest's general registers and flags out of host registers; then the C++ stack.
void save_general(Assembler& out) {
  for (unsigned guest = 0; guest < 16; ++guest) {
    if (!is_spilled(guest)) out.store_gs(kGprOffset + 8 * guest, host_register(guest));
  }
  out.store_gs(kReturnRsp, kRspReg);
  out.load_gs(kRspReg, offsetof(Context, host_rsp));
  code(out, {0x9F});                                    // lahf
  code(out, {0x0F, 0x90, 0xC0});                        // seto al
  code(out, {0x0F, 0xB6, 0xDC});                        // movzx ebx, ah
  code(out, {0x81, 0xE3, 0xD5, 0x00, 0x00, 0x00});      // and ebx, 0xD5
  code(out, {0x0F, 0xB6, 0xC0});                        // movzx eax, al
  code(out, {0xC1, 0xE0, 0x0B});                        // shl eax, 11
  code(out, {0x09, 0xC3});                              // or ebx, eax
  out.load_gs(kRaxReg, offsetof(Context, rflags));
  code(out, {0x25}), out.dword(~0x8D5U);                // and eax, ~arithmetic
  code(out, {0x09, 0xD8});                              // or eax, ebx
  out.store_gs(offsetof(Context, rflags), kRaxReg);
}

void save_vectors(Assembler& out, bool ymm) {
  mxcsr_move(out, true, offsetof(Context, mxcsr));
  mxcsr_move(out, false, offsetof(Context, host_mxcsr));
  vector_moves(out, true, ymm);
}

void load_vectors(Assembler& out, bool ymm) {
  mxcsr_move(out, false, offsetof(Context, mxcsr));
  vector_moves(out, false, ymm);
}

// All guest state out of host registers; then the C++ stack.
void save_guest(Assembler& out, bool ymm) {
  save_general(out);
  save_vectors(out, ymm);
}

// General registers and flags into host registers, then to the host address in RAX.
void load_general_and_go(Assembler& out) {
  out.store_gs(offsetof(Context, scratch), kRaxReg);
  out.load_gs(kRaxReg, offsetof(Context, rflags));
  code(out, {0x89, 0xC3});                              // mov ebx, eax
  code(out, {0xC1, 0xEB, 0x0B});                        // shr ebx, 11
  code(out, {0x83, 0xE3, 0x01});                        // and ebx, 1
  code(out, {0xC1, 0xE0, 0x08});                        // shl eax, 8
  code(out, {0x88, 0xD8});                              // mov al, bl
  code(out, {0x04, 0x7F});                              // add al, 0x7F: OF
  code(out, {0x9E});                                    // sahf: the others
  for (unsigned guest = 0; guest < 16; ++guest) {
    if (!is_spilled(guest)) out.load_gs(host_register(guest), kGprOffset + 8 * guest);
  }
  out.load_gs(kRspReg, kReturnRsp);
  code(out, {0x65, 0xFF, 0x24, 0x25}), out.dword(offsetof(Context, scratch));  // jmp gs:[scratch]
}

// Guest state into host registers, then to the host address in RAX.
void load_guest_and_go(Assembler& out, bool ymm) {
  load_vectors(out, ymm);
  load_general_and_go(out);
}

void restore_host_and_return(Assembler& out) {
  code(out, {0x48, 0x83, 0xC4, 0x08});                                      // add rsp, 8
  code(out, {0x41, 0x5F, 0x41, 0x5E, 0x41, 0x5D, 0x41, 0x5C, 0x5D, 0x5B});  // pop r15 .. r12, rbp, rbx
  code(out, {0xC3});
}

u8* emit_enter(Assembler& out, bool ymm) {
  u8* entry = out.at();
  code(out, {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57});  // push rbx, rbp, r12 .. r15
  code(out, {0x48, 0x83, 0xEC, 0x08});                                      // sub rsp, 8
  out.store_gs(offsetof(Context, host_rsp), kRspReg);
  out.mov(kRaxReg, kRsiReg);
  load_guest_and_go(out, ymm);
  return entry;
}

// In: R10 = Site, RCX = address. The C++ function's answer says where to go on.
const u8* emit_callout(Assembler& out, Callout callout, bool ymm) {
  const u8* entry = out.at();
  save_guest(out, ymm);
  out.load_gs(kRdiReg, offsetof(Context, self));
  out.mov(kRsiReg, kT1);
  out.mov(kRdxReg, kT0);
  code(out, {0x48, 0xB8}), out.qword(reinterpret_cast<u64>(callout));  // mov rax, imm64
  code(out, {0xFF, 0xD0});                                              // call rax
  code(out, {0x48, 0x85, 0xC0});                                        // test rax, rax
  u8* go = out.jcc(5);                                                  // jnz
  restore_host_and_return(out);
  Assembler::patch(go, out.at());
  load_guest_and_go(out, ymm);
  return entry;
}

// In: R10 = Site, RCX = address. Calls a function that uses general registers alone, with the Context complete but for the
// vector registers; when it answers nullptr, saves those too and calls the other one.
const u8* emit_general_callout(Assembler& out, Callout general, Callout slow, bool ymm) {
  constexpr u64 kAddress = offsetof(Context, fast) + 8, kSite = kAddress + 8;
  const auto call = [&](Callout callout) {
    out.load_gs(kRdiReg, offsetof(Context, self));
    out.load_gs(kRsiReg, kSite);
    out.load_gs(kRdxReg, kAddress);
    code(out, {0x48, 0xB8}), out.qword(reinterpret_cast<u64>(callout));  // mov rax, imm64
    code(out, {0xFF, 0xD0});  // call rax
    code(out, {0x48, 0x85, 0xC0});  // test rax, rax
    return out.jcc(4);  // jz
  };
  const u8* entry = out.at();
  save_general(out);
  out.store_gs(kAddress, kT0);
  out.store_gs(kSite, kT1);
  u8* failed = call(general);
  load_general_and_go(out);
  Assembler::patch(failed, out.at());
  save_vectors(out, ymm);
  u8* leave = call(slow);
  load_guest_and_go(out, ymm);
  Assembler::patch(leave, out.at());
  restore_host_and_return(out);
  return entry;
}

// Guest registers that are where a C++ function may change them.
constexpr std::array<unsigned, 7> kCallerSaved{0, 1, 2, 6, 7, 8, 9};

// In: R10 = Site, RCX = address. Calls a function that uses general registers alone and keeps the rest where it is;
// when it answers nullptr, everything is as it was and `slow` is next.
const u8* emit_fast_callout(Assembler& out, Callout callout, const u8* slow) {
  constexpr u64 kTarget = offsetof(Context, fast), kAddress = kTarget + 8, kSite = kTarget + 16, kFlags = kTarget + 24;
  const auto restore = [&] {
    out.load_gs32(kRaxReg, kFlags);
    code(out, {0x04, 0x7F});  // add al, 0x7F: OF
    code(out, {0x9E});  // sahf: the others
    for (const unsigned guest : kCallerSaved) out.load_gs(host_register(guest), kGprOffset + 8 * guest);
    out.load_gs(kRspReg, kReturnRsp);
  };
  const u8* entry = out.at();
  for (const unsigned guest : kCallerSaved) out.store_gs(kGprOffset + 8 * guest, host_register(guest));
  out.store_gs(kReturnRsp, kRspReg);
  out.load_gs(kRspReg, offsetof(Context, host_rsp));
  code(out, {0x9F});  // lahf
  code(out, {0x0F, 0x90, 0xC0});  // seto al
  out.store_gs(kFlags, kRaxReg);
  out.store_gs(kAddress, kT0);
  out.store_gs(kSite, kT1);
  out.load_gs(kRdiReg, offsetof(Context, self));
  out.mov(kRsiReg, kT1);
  out.mov(kRdxReg, kT0);
  code(out, {0x48, 0xB8}), out.qword(reinterpret_cast<u64>(callout));  // mov rax, imm64
  code(out, {0xFF, 0xD0});  // call rax
  code(out, {0x48, 0x85, 0xC0});  // test rax, rax
  u8* failed = out.jcc(4);  // jz
  out.store_gs(kTarget, kRaxReg);
  restore();
  code(out, {0x65, 0xFF, 0x24, 0x25}), out.dword(static_cast<u32>(kTarget));  // jmp gs:[target]
  Assembler::patch(failed, out.at());
  restore();
  out.load_gs(kT0, kAddress);
  out.load_gs(kT1, kSite);
  out.jmp(slow);
  return entry;
}

// What tlb_use_for_stack() does, for code that went to another stack a moment ago: at every system call, interrupt and
// switch of tasks.
const u8* emit_use_for_stack(Assembler& out, Mode mode, bool write) {
  constexpr u64 kSaved = offsetof(Context, scratch) + 16;
  const u64 tlb = tlb_offset(mode, write);
  const u64 stack = tlb + offsetof(Tlb, stack);
  const u8* entry = out.at();
  out.store_gs(kSaved, kRaxReg);
  out.pext_gs(kT1, kT0, offsetof(Context, index_mask));
  out.load_gs_indexed(kRaxReg, kT1, tlb + offsetof(Tlb, neg_tag));
  out.lea(kT0, kT0, kRaxReg, 1, 0);
  out.pext_gs(kT0, kT0, offsetof(Context, stack_mask) + u64{8} * 3);
  out.jrcxz(0);
  u8* hit = out.at() - 1;
  out.load_gs(kRaxReg, kSaved);
  code(out, {0xC3});
  if (!out.overflowed()) Assembler::patch_short(hit, out.at());
  out.store_gs(stack + offsetof(Tlb::Stack, neg_tag), kRaxReg);
  out.load_gs_indexed(kRaxReg, kT1, tlb + offsetof(Tlb, addend));
  out.store_gs(stack + offsetof(Tlb::Stack, addend), kRaxReg);
  out.load_gs(kRaxReg, kSaved);
  code(out, {0xC3});
  return entry;
}

// Leaves the index of the slot for the guest RIP in RCX in R10; answers where the slots' arrivals are.
u64 emit_lookup(Assembler& out, Mode mode) {
  out.rorx(kT1, kT0, 10);
  out.lea(kT1, kT1, kT0, 1, 0);
  out.pext_gs(kT1, kT1, offsetof(Context, jump_mask));
  return jump_cache_offset(mode) + offsetof(JumpCache, host);
}

// Of user code. Context::vpage is the block's from the first store on: where the key says otherwise, C++ code decides where
// to go, and sets it anew.
void emit_tagged_arrival(Assembler& out, u16 page_offset, u64 keys, const Stubs& stubs) {
  out.lea(kT0, kT0, -page_offset);
  out.store_gs(offsetof(Context, vpage), kT0);
  out.load_gs_indexed(kT1, kT1, keys);
  out.lea(kT0, kT0, kT1, 1, 1);
  out.load_gs(kT1, offsetof(Context, jump_tag));
  out.lea(kT0, kT0, kT1, 1, 0);
  out.jrcxz(0);
  u8* right = out.at() - 1;
  out.load_gs(kT0, offsetof(Context, vpage));
  out.lea(kT0, kT0, page_offset);
  out.jmp(stubs.indirect);
  if (!out.overflowed()) Assembler::patch_short(right, out.at());
}

}  // namespace

void emit_arrival(Assembler& out, Mode mode, u16 page_offset, const Stubs& stubs) {
  const u64 keys = jump_cache_offset(mode) + offsetof(JumpCache, key);
  if (mode == kModeUser) {
    emit_tagged_arrival(out, page_offset, keys, stubs);
    return;
  }
  out.load_gs_indexed(kT1, kT1, keys);
  out.lea(kT0, kT0, kT1, 1, 1 - page_offset);
  out.jrcxz(0);
  u8* right = out.at() - 1;
  out.lea(kT0, kT0, page_offset);
  out.jmp(stubs.arrived_wrongly);
  if (!out.overflowed()) Assembler::patch_short(right, out.at());
  out.invert(kT1);
  out.store_gs(offsetof(Context, vpage), kT1);
}

void emit_indirect_jump(Assembler& out, Mode mode, const Stubs& stubs) {
  if (mode == kModeKernelAc) {  // short stretches of kernel code: no cache of their own
    out.jmp(stubs.indirect);
    return;
  }
  out.jmp_gs_indexed(kT1, emit_lookup(out, mode));
}

void emit_indirect_call(Assembler& out, Mode mode) { out.call_gs_indexed(kT1, emit_lookup(out, mode)); }

Stubs emit_stubs(Assembler& out, const Callouts& callouts, bool ymm) {
  Stubs stubs;
  stubs.enter = reinterpret_cast<void (*)(Context*, const u8*)>(emit_enter(out, ymm));
  const u8* slow_memory = emit_general_callout(out, callouts.fast_fault, callouts.memory, ymm);
  stubs.memory = emit_fast_callout(out, callouts.fast_memory, slow_memory);
  stubs.group = emit_fast_callout(out, callouts.fast_group, emit_callout(out, callouts.group, ymm));
  stubs.link = emit_callout(out, callouts.link, ymm);
  stubs.interpret = emit_callout(out, callouts.interpret, ymm);
  stubs.system = emit_general_callout(out, callouts.fast_system, callouts.interpret, ymm);
  stubs.step = emit_general_callout(out, callouts.fast_step, callouts.step, ymm);
  stubs.straddle = emit_fast_callout(out, callouts.fast_straddle, stubs.step);
  stubs.poll = emit_callout(out, callouts.poll, ymm);
  stubs.trap = emit_callout(out, callouts.trap, ymm);
  const u8* slow_indirect = emit_callout(out, callouts.indirect, ymm);
  for (const Mode mode : {kModeKernel, kModeKernelAc, kModeUser}) {
    for (const bool write : {false, true})
      stubs.use_for_stack[mode][write ? 1 : 0] = emit_use_for_stack(out, mode, write);
  }
  stubs.arrived_wrongly = out.at();
  out.invert(kT1);
  out.lea(kT0, kT0, kT1, 1, 0);
  stubs.indirect = emit_fast_callout(out, callouts.fast_indirect, slow_indirect);
  for (unsigned side = 0; side < kReturnSides; ++side) {
    const Mode mode = side == 0 ? kModeKernel : kModeUser;
    stubs.return_underflow[side] = out.at();
    out.lea(kRspReg, kRspReg, -8);
    emit_indirect_jump(out, mode, stubs);
    stubs.return_elsewhere[side] = out.at();
    out.invert(kT1);
    out.lea(kT0, kT0, kT1, 1, 0);
    emit_indirect_jump(out, mode, stubs);
  }
  for (const Mode mode : {kModeKernel, kModeKernelAc, kModeUser}) {
    stubs.go[mode] = out.at();
    out.load_gs(kT0, offsetof(Context, rip));
    emit_indirect_jump(out, mode, stubs);
  }
  stubs.leave = out.at();
  save_guest(out, ymm);
  restore_host_and_return(out);
  return stubs;
}

}  // namespace pileus::engine::bt
