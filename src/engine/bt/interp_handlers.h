// The interpreter's handlers, one or a few mnemonics each; interp_table.inc says which.
#pragma once

#include "engine/bt/interp_operands.h"

namespace pileus::engine::bt {

using Handler = bool (*)(Exec& e);
Handler handler_of(const Insn& insn);

bool op_binary(Exec& e);
bool op_compare(Exec& e);
bool op_unary(Exec& e);
bool op_shift(Exec& e);
bool op_double_shift(Exec& e);
bool op_mul(Exec& e);
bool op_imul(Exec& e);
bool op_div(Exec& e);
bool op_bit_test(Exec& e);
bool op_bit_scan(Exec& e);
bool op_popcnt(Exec& e);
bool op_crc32(Exec& e);
bool op_bswap(Exec& e);
bool op_xadd(Exec& e);
bool op_xchg(Exec& e);
bool op_cmpxchg(Exec& e);
bool op_cmpxchg_pair(Exec& e);
bool op_ascii_adjust(Exec& e);
bool op_decimal_adjust(Exec& e);
bool op_aam(Exec& e);
bool op_aad(Exec& e);
bool op_carry(Exec& e);
bool op_lahf(Exec& e);
bool op_sahf(Exec& e);
bool op_convert(Exec& e);
bool op_salc(Exec& e);
bool op_mov(Exec& e);
bool op_movzx(Exec& e);
bool op_movsx(Exec& e);
bool op_lea(Exec& e);
bool op_push(Exec& e);
bool op_pop(Exec& e);
bool op_pusha(Exec& e);
bool op_popa(Exec& e);
bool op_pushf(Exec& e);
bool op_popf(Exec& e);
bool op_enter(Exec& e);
bool op_leave(Exec& e);
bool op_xlat(Exec& e);
bool op_load_far(Exec& e);
bool op_bound(Exec& e);
bool op_cmov(Exec& e);
bool op_setcc(Exec& e);
bool op_string(Exec& e);
bool op_jmp(Exec& e);
bool op_call(Exec& e);
bool op_ret(Exec& e);
bool op_jcc(Exec& e);
bool op_jcxz(Exec& e);
bool op_loop(Exec& e);
bool op_int(Exec& e);
bool op_int1(Exec& e);
bool op_into(Exec& e);
bool op_iret(Exec& e);
bool op_syscall(Exec& e);
bool op_sysret(Exec& e);
bool op_sysenter(Exec& e);
bool op_sysexit(Exec& e);
bool op_hlt(Exec& e);
bool op_cli(Exec& e);
bool op_sti(Exec& e);
bool op_direction(Exec& e);
bool op_ac(Exec& e);
bool op_invlpg(Exec& e);
bool op_invpcid(Exec& e);
bool op_privileged_nop(Exec& e);
bool op_load_table(Exec& e);
bool op_store_table(Exec& e);
bool op_lldt(Exec& e);
bool op_ltr(Exec& e);
bool op_store_selector(Exec& e);
bool op_lmsw(Exec& e);
bool op_smsw(Exec& e);
bool op_clts(Exec& e);
bool op_lar(Exec& e);
bool op_lsl(Exec& e);
bool op_verify(Exec& e);
bool op_arpl(Exec& e);
bool op_in(Exec& e);
bool op_out(Exec& e);
bool op_cpuid(Exec& e);
bool op_rdmsr(Exec& e);
bool op_wrmsr(Exec& e);
bool op_rdtsc(Exec& e);
bool op_rdpmc(Exec& e);
bool op_swapgs(Exec& e);
bool op_read_base(Exec& e);
bool op_write_base(Exec& e);
bool op_hypercall(Exec& e);
bool op_nop(Exec& e);
bool op_clflush(Exec& e);
bool op_masked_move(Exec& e);
bool op_fxsave(Exec& e);
bool op_fxrstor(Exec& e);
bool op_ldmxcsr(Exec& e);
bool op_stmxcsr(Exec& e);
bool op_xgetbv(Exec& e);
bool op_xsetbv(Exec& e);
bool op_xsave(Exec& e);
bool op_xrstor(Exec& e);
bool op_vector_masked_move(Exec& e);
bool op_gather(Exec& e);
bool op_bmi_flags(Exec& e);
bool op_bmi_shift(Exec& e);
bool op_bit_deposit(Exec& e);
bool op_mulx(Exec& e);
bool op_count_zeros(Exec& e);
bool op_movbe(Exec& e);
bool op_native(Exec& e);

// Raises #UD or #NM unless the floating-point or vector instruction may execute.
bool check_fpu_usable(Exec& e);
// Raises #UD unless CPUID offers the instruction's extension.
bool check_offered(Exec& e);

bool condition_holds(u64 flags, unsigned condition);

}  // namespace pileus::engine::bt
