// System instructions.
#include "engine/bt/debug_registers.h"
#include "engine/bt/events.h"
#include "engine/bt/interp_flags.h"
#include "engine/bt/interp_handlers.h"
#include "engine/bt/mmu.h"
#include "engine/bt/segments.h"
#include "engine/bt/system.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {

bool privileged(Exec& e) { return e.context.cpl == 0 || e.context.raise(kVectorGp, 0); }

bool umip_allows(Exec& e) {
  return e.context.cpl == 0 || (e.context.cr4 >> 11 & 1) == 0 || e.context.raise(kVectorGp, 0);
}

bool is_canonical(u64 value) { return static_cast<u64>(static_cast<i64>(value << 16) >> 16) == value; }

void set_zf(Context& context, bool on) { context.rflags = on ? context.rflags | kFlagZf : context.rflags & ~kFlagZf; }

bool may_change_if(Exec& e) {
  const unsigned iopl = e.context.rflags >> 12 & 3;
  return is_real_mode(e.context) || e.context.cpl <= iopl || e.context.raise(kVectorGp, 0);
}

}  // namespace

bool op_nop(Exec&) { return true; }
bool op_privileged_nop(Exec& e) { return privileged(e); }

bool op_hlt(Exec& e) {
  if (!privileged(e)) return false;
  e.context.run_state = RunState::kHalted;
  return true;
}

bool op_cli(Exec& e) {
  if (!may_change_if(e)) return false;
  e.context.if_flag = 0;
  return true;
}

bool op_sti(Exec& e) {
  if (!may_change_if(e)) return false;
  e.shadow = e.context.if_flag == 0;
  e.context.if_flag = 1;
  return true;
}

bool op_direction(Exec& e) {
  e.context.df_flag = e.insn.info.mnemonic == ZYDIS_MNEMONIC_STD ? 1 : 0;
  return true;
}

bool op_ac(Exec& e) {
  if (e.context.cpl != 0) return e.context.raise(kVectorUd);
  e.context.ac_flag = e.insn.info.mnemonic == ZYDIS_MNEMONIC_STAC ? 1 : 0;
  return true;
}

bool op_invlpg(Exec& e) {
  if (!privileged(e)) return false;
  u64 linear = 0;
  const ZydisDecodedOperand& operand = e.operand(0);
  if (!linear_address(e, operand, 1, &linear)) return true;  // a non-canonical address is a no-op
  if (e.context.vectors_in_place && e.context.vm->far_links().relies_on(linear, flush_bits(e.context, linear)))
    return false;
  flush_tlb_page(e.context, linear);
  return true;
}

// SDM vol. 2, INVPCID.
bool op_invpcid(Exec& e) {
  Context& context = e.context;
  if (!context.vm->cpu().features.has(FeatureWord::k7Ebx, 10)) return context.raise(kVectorUd);
  if (!privileged(e)) return false;
  enum Type : u64 { kAddress, kOnePcid, kAll, kAllButGlobal };
  struct Descriptor {
    u64 pcid, address;
  } descriptor;
  u64 type = 0, linear = 0;
  if (!read_operand(e, 0, &type) || !linear_address(e, e.operand(1), sizeof descriptor, &linear) ||
      !read_memory(context, linear, &descriptor, sizeof descriptor, context.mode()))
    return false;
  const bool names_pcid = type == kAddress || type == kOnePcid;
  const bool has_pcids = (context.cr4 >> 17 & 1) != 0;
  if (type > kAllButGlobal || descriptor.pcid > 0xFFF || (names_pcid && !has_pcids && descriptor.pcid != 0) ||
      (type == kAddress && !is_canonical(descriptor.address)))
    return context.raise(kVectorGp, 0);
  const bool global_too = type == kAddress || type == kAll;
  if (context.vectors_in_place && (context.far_links_non_global || (global_too && !context.vm->far_links().empty())))
    return false;
  const bool current = descriptor.pcid == (has_pcids ? context.cr3 & 0xFFF : 0);
  if (type == kAddress && current) flush_tlb_page(context, descriptor.address);
  else if (names_pcid) forget_space(context, descriptor.pcid);
  else if (type == kAll) flush_tlb_all(context);
  else flush_tlb_non_global(context), forget_other_spaces(context);
  return true;
}

bool op_load_table(Exec& e) {
  if (!privileged(e)) return false;
  const bool wide = e.context.code64();
  const unsigned size = wide ? 10 : 6;
  u64 linear = 0, base = 0;
  u16 limit = 0;
  if (!linear_address(e, e.operand(0), size, &linear)) return false;
  const Mode mode = e.context.mode();
  if (!read_value(e.context, linear, &limit, mode) || !read_memory(e.context, linear + 2, &base, size - 2, mode))
    return false;
  if (!wide && e.insn.info.operand_width == 16) base &= 0xFFFFFF;
  DescriptorTable& table = e.insn.info.mnemonic == ZYDIS_MNEMONIC_LGDT ? e.context.gdtr : e.context.idtr;
  table = {base, limit};
  return true;
}

bool op_store_table(Exec& e) {
  if (!umip_allows(e)) return false;
  const DescriptorTable& table = e.insn.info.mnemonic == ZYDIS_MNEMONIC_SGDT ? e.context.gdtr : e.context.idtr;
  const unsigned size = e.context.code64() ? 10 : 6;
  u8 image[10];
  __builtin_memcpy(image, &table.limit, 2);
  __builtin_memcpy(image + 2, &table.base, 8);
  u64 linear = 0;
  return linear_address(e, e.operand(0), size, &linear) &&
         write_memory(e.context, linear, image, size, e.context.mode());
}

bool op_lldt(Exec& e) {
  u64 selector = 0;
  if (is_real_mode(e.context)) return e.context.raise(kVectorUd);
  return privileged(e) && read_operand(e, 0, &selector) && load_ldt(e.context, static_cast<u16>(selector));
}

bool op_ltr(Exec& e) {
  u64 selector = 0;
  if (is_real_mode(e.context)) return e.context.raise(kVectorUd);
  return privileged(e) && read_operand(e, 0, &selector) && load_tr(e.context, static_cast<u16>(selector));
}

bool op_store_selector(Exec& e) {
  if (is_real_mode(e.context)) return e.context.raise(kVectorUd);
  const bool ldt = e.insn.info.mnemonic == ZYDIS_MNEMONIC_SLDT;
  return umip_allows(e) && write_operand(e, 0, ldt ? e.context.ldtr.selector : e.context.tr.selector);
}

bool op_lmsw(Exec& e) {
  u64 value = 0;
  if (!privileged(e) || !read_operand(e, 0, &value)) return false;
  const u64 sticky_pe = e.context.cr0 & 1;
  return write_cr(e.context, 0, (e.context.cr0 & ~u64{15}) | (value & 15) | sticky_pe);
}

bool op_smsw(Exec& e) { return umip_allows(e) && write_operand(e, 0, e.context.cr0); }

bool op_clts(Exec& e) {
  if (!privileged(e)) return false;
  e.context.cr0 &= ~u64{8};
  return true;
}

bool op_lar(Exec& e) {
  u64 selector = 0;
  u32 value = 0;
  bool ok = false;
  if (is_real_mode(e.context)) return e.context.raise(kVectorUd);
  if (!read_operand(e, 1, &selector) || !load_access_rights(e.context, static_cast<u16>(selector), &value, &ok))
    return false;
  if (ok && !write_operand(e, 0, value)) return false;
  set_zf(e.context, ok);
  return true;
}

bool op_lsl(Exec& e) {
  u64 selector = 0;
  u32 value = 0;
  bool ok = false;
  if (is_real_mode(e.context)) return e.context.raise(kVectorUd);
  if (!read_operand(e, 1, &selector) || !load_limit(e.context, static_cast<u16>(selector), &value, &ok)) return false;
  if (ok && !write_operand(e, 0, value)) return false;
  set_zf(e.context, ok);
  return true;
}

bool op_verify(Exec& e) {
  u64 selector = 0;
  bool ok = false;
  if (is_real_mode(e.context)) return e.context.raise(kVectorUd);
  const bool write = e.insn.info.mnemonic == ZYDIS_MNEMONIC_VERW;
  if (!read_operand(e, 0, &selector) || !verify_segment(e.context, static_cast<u16>(selector), write, &ok))
    return false;
  set_zf(e.context, ok);
  return true;
}

bool op_arpl(Exec& e) {
  u64 source = 0;
  bool lower = false;
  if (is_real_mode(e.context)) return e.context.raise(kVectorUd);
  if (!read_operand(e, 1, &source)) return false;
  const auto f = [&](u64 a) {
    lower = (a & 3) < (source & 3);
    return lower ? (a & ~u64{3}) | (source & 3) : a;
  };
  if (!modify_operand(e, 0, f)) return false;
  set_zf(e.context, lower);
  return true;
}

bool op_in(Exec& e) {
  u64 port = 0, value = 0;
  if (!read_operand(e, 1, &port)) return false;
  const unsigned size = e.width(0) / 8;
  if (!check_io(e.context, static_cast<u16>(port), size)) return false;
  note_port_access(e.context, static_cast<u16>(port), size);
  e.context.doing(Activity::kDevice);
  e.context.vm->config().ports->read(port & 0xFFFF, size, &value);
  return write_operand(e, 0, value);
}

bool op_out(Exec& e) {
  u64 port = 0, value = 0;
  if (!read_operand(e, 0, &port) || !read_operand(e, 1, &value)) return false;
  const unsigned size = e.width(1) / 8;
  if (!check_io(e.context, static_cast<u16>(port), size)) return false;
  note_port_access(e.context, static_cast<u16>(port), size);
  e.context.doing(Activity::kDevice);
  e.context.vm->config().ports->write(port & 0xFFFF, size, value & mask_of(size * 8));
  return true;
}

bool op_cpuid(Exec& e) {
  do_cpuid(e.context);
  return true;
}

bool op_rdmsr(Exec& e) {
  u64 value = 0;
  if (!privileged(e) || !read_msr(e.context, static_cast<u32>(e.context.gpr[kRcx]), &value)) return false;
  e.context.gpr[kRax] = value & 0xFFFFFFFF;
  e.context.gpr[kRdx] = value >> 32;
  return true;
}

bool op_wrmsr(Exec& e) {
  const u64 value = (e.context.gpr[kRax] & 0xFFFFFFFF) | e.context.gpr[kRdx] << 32;
  return privileged(e) && write_msr(e.context, static_cast<u32>(e.context.gpr[kRcx]), value);
}

bool op_rdtsc(Exec& e) {
  Context& context = e.context;
  if (context.cpl != 0 && (context.cr4 >> 2 & 1) != 0) return context.raise(kVectorGp, 0);
  const u64 tsc = read_tsc(context);
  context.gpr[kRax] = tsc & 0xFFFFFFFF;
  context.gpr[kRdx] = tsc >> 32;
  if (e.insn.info.mnemonic == ZYDIS_MNEMONIC_RDTSCP) context.gpr[kRcx] = context.tsc_aux & 0xFFFFFFFF;
  return true;
}

bool op_rdpmc(Exec& e) { return e.context.raise(kVectorGp, 0); }
bool op_swapgs(Exec& e) { return do_swapgs(e.context); }

namespace {
bool base_access(Exec& e) {
  const bool on = e.context.code64() && (e.context.cr4 >> 16 & 1) != 0;
  return on || e.context.raise(kVectorUd);
}
}  // namespace

bool op_read_base(Exec& e) {
  const SegmentIndex index = e.insn.info.mnemonic == ZYDIS_MNEMONIC_RDFSBASE ? kFs : kGs;
  return base_access(e) && write_operand(e, 0, e.context.segment[index].base);
}

bool op_write_base(Exec& e) {
  u64 value = 0;
  if (!base_access(e) || !read_operand(e, 0, &value)) return false;
  value &= mask_of(e.width(0));
  if (static_cast<u64>(static_cast<i64>(value << 16) >> 16) != value) return e.context.raise(kVectorGp, 0);
  e.context.segment[e.insn.info.mnemonic == ZYDIS_MNEMONIC_WRFSBASE ? kFs : kGs].base = value;
  return true;
}

bool op_hypercall(Exec& e) { return do_hypercall(e.context); }

}  // namespace pileus::engine::bt
