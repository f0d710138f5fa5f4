// String instructions. Registers are brought up to date after every piece, so a fault or an interrupt in the middle of
// a REP finds them as they should be.
#include <algorithm>
#include <cstring>

#include "engine/bt/debug_registers.h"
#include "engine/bt/events.h"
#include "engine/bt/interp_flags.h"
#include "engine/bt/interp_handlers.h"
#include "engine/bt/mmu.h"
#include "engine/bt/system.h"
#include "engine/bt/tlb.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kTrapFlag = 1U << 8;

enum class Kind : u8 { kMovs, kStos, kLods, kCmps, kScas, kIns, kOuts };

Kind kind_of(u8 opcode) {
  switch (opcode & 0xFE) {
    case 0xA4: return Kind::kMovs;
    case 0xA6: return Kind::kCmps;
    case 0xAA: return Kind::kStos;
    case 0xAC: return Kind::kLods;
    case 0xAE: return Kind::kScas;
    case 0x6C: return Kind::kIns;
    default: return Kind::kOuts;
  }
}

class StringOp {
 public:
  explicit StringOp(Exec& e)
      : e_(e),
        context_(e.context),
        kind_(kind_of(e.insn.info.opcode)),
        size_((e.insn.info.opcode & 1) == 0 ? 1 : std::min<unsigned>(e.insn.info.operand_width / 8, is_io() ? 4 : 8)),
        address_mask_(mask_of(e.insn.info.address_width)),
        source_segment_((e.insn.info.attributes & ZYDIS_ATTRIB_HAS_SEGMENT) != 0 ? segment_prefix()
                                                                                 : ZYDIS_REGISTER_DS) {}

  bool run() {
    const bool rep =
        (e_.insn.info.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)) != 0;
    if (is_io() && !check_io(context_, static_cast<u16>(context_.gpr[kRdx]), size_)) return false;
    if (!rep) return one();
    for (u64 rounds = 0; (context_.gpr[kRcx] & address_mask_) != 0; ++rounds) {
      if (rounds != 0 && context_.exit_request.load(std::memory_order_relaxed) != 0) {
        e_.repeat = true;
        return true;
      }
      const u64 done = bulk();
      if (done != 0) {
        count_down(done);
        continue;
      }
      if (!one()) return false;
      count_down(1);
      const bool compares = kind_ == Kind::kCmps || kind_ == Kind::kScas;
      if (compares && ((context_.rflags & kFlagZf) != 0) != e_.has(ZYDIS_ATTRIB_HAS_REPE)) break;
      if (traps_each() && (context_.gpr[kRcx] & address_mask_) != 0) {
        e_.repeat = e_.stepped = true;
        return true;
      }
    }
    return true;
  }

 private:
  // Each repetition may end in a #DB of its own.
  bool traps_each() const { return has_breakpoints(context_) || (context_.rflags & kTrapFlag) != 0; }
  bool is_io() const { return kind_ == Kind::kIns || kind_ == Kind::kOuts; }

  ZydisRegister segment_prefix() const {
    for (unsigned i = 0; i < e_.insn.info.operand_count; ++i) {
      const ZydisDecodedOperand& operand = e_.insn.operand[i];
      const bool source = operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.mem.segment != ZYDIS_REGISTER_ES;
      if (source) return operand.mem.segment;
    }
    return e_.has(ZYDIS_ATTRIB_HAS_SEGMENT_ES) ? ZYDIS_REGISTER_ES : ZYDIS_REGISTER_DS;
  }

  void advance(unsigned reg, u64 bytes) {
    const u64 moved = context_.df_flag != 0 ? context_.gpr[reg] - bytes : context_.gpr[reg] + bytes;
    set_masked(reg, moved);
  }
  void set_masked(unsigned reg, u64 value) {
    if (address_mask_ == 0xFFFF) context_.gpr[reg] = (context_.gpr[reg] & ~address_mask_) | (value & address_mask_);
    else context_.gpr[reg] = value & address_mask_;
  }
  void count_down(u64 by) { set_masked(kRcx, context_.gpr[kRcx] - by); }

  bool source(u64* linear) {
    return linear_address(e_, source_segment_, context_.gpr[kRsi] & address_mask_, size_, false, linear);
  }
  bool destination(u64* linear, bool write) {
    return linear_address(e_, ZYDIS_REGISTER_ES, context_.gpr[kRdi] & address_mask_, size_, write, linear);
  }

  bool one() {
    u64 from = 0, to = 0, a = 0, b = 0;
    const Mode mode = context_.mode();
    const bool reads_source =
        kind_ == Kind::kMovs || kind_ == Kind::kLods || kind_ == Kind::kCmps || kind_ == Kind::kOuts;
    const bool uses_destination = kind_ != Kind::kLods && kind_ != Kind::kOuts;
    if (reads_source && (!source(&from) || !read_memory(context_, from, &a, size_, mode))) return false;
    if (uses_destination && !destination(&to, kind_ != Kind::kCmps && kind_ != Kind::kScas)) return false;
    const auto port = static_cast<u16>(context_.gpr[kRdx]);
    switch (kind_) {
      case Kind::kMovs:
        if (!write_memory(context_, to, &a, size_, mode)) return false;
        break;
      case Kind::kStos:
        if (!write_memory(context_, to, &context_.gpr[kRax], size_, mode)) return false;
        break;
      case Kind::kLods: load_accumulator(a); break;
      case Kind::kCmps:
      case Kind::kScas: {
        if (!read_memory(context_, to, &b, size_, mode)) return false;
        if (kind_ == Kind::kScas) a = context_.gpr[kRax];
        const Alu out = alu_sub(a, b, false, size_ * 8);
        context_.rflags = (context_.rflags & ~kFlagsArithmetic) | out.flags;
        break;
      }
      case Kind::kIns: {
        u8* host = nullptr;
        u64 gpa = 0;
        if (!pin_memory(context_, to, size_, mode, &host, &gpa)) return false;  // the port must not be read twice
        note_port_access(context_, port, size_);
        context_.vm->config().ports->read(port, size_, &a);
        if (!write_memory(context_, to, &a, size_, mode)) return false;
        break;
      }
      case Kind::kOuts:
        note_port_access(context_, port, size_);
        context_.vm->config().ports->write(port, size_, a);
        break;
    }
    if (reads_source) advance(kRsi, size_);
    if (uses_destination) advance(kRdi, size_);
    return true;
  }

  void load_accumulator(u64 value) {
    u64& rax = context_.gpr[kRax];
    rax = size_ >= 4 ? value : (rax & ~mask_of(size_ * 8)) | value;
  }

  // MOVS and STOS forward within RAM: as many elements as lie in the pages touched now. 0: one by one.
  u64 bulk() {
    if ((kind_ != Kind::kMovs && kind_ != Kind::kStos) || context_.df_flag != 0 || address_mask_ == 0xFFFF) return 0;
    if (context_.debug != nullptr || traps_each() || checks_alignment(context_, context_.mode())) return 0;
    u64 from = 0, to = 0;
    if (!destination(&to, true)) return 0;
    u64 bytes = std::min((context_.gpr[kRcx] & address_mask_) * size_, 4096 - (to & 4095));
    u8* host_from = nullptr;
    if (kind_ == Kind::kMovs) {
      if (!source(&from)) return 0;
      bytes = std::min(bytes, 4096 - (from & 4095));
      if (to > from && to - from < bytes) return 0;  // overlapping: each element may feed a later one
    }
    bytes -= bytes % size_;
    if (bytes < 2 * size_) return 0;
    if (u8* const hit = tlb_lookup(context_.tlb[context_.mode()][1], to, static_cast<unsigned>(bytes));
        hit != nullptr && (kind_ == Kind::kStos || (host_from = look_up_source(from, bytes)) != nullptr)) {
      piece(hit, host_from, bytes);  // no code there: see Tlb
      return bytes / size_;
    }
    u64 gpa = 0;
    if (kind_ == Kind::kMovs) {
      if (!translate(context_, from, Access::kRead, context_.mode(), &gpa)) return 0;
      host_from = context_.vm->memory().host(gpa, bytes);
      if (host_from == nullptr) return 0;
    }
    u8* host_to = nullptr;
    if (!pin_memory(context_, to, static_cast<unsigned>(bytes), context_.mode(), &host_to, &gpa) || host_to == nullptr)
      return 0;
    piece(host_to, host_from, bytes);
    wrote_memory(context_, gpa, static_cast<unsigned>(bytes));
    return bytes / size_;
  }

  u8* look_up_source(u64 from, u64 bytes) const {
    return tlb_lookup(context_.tlb[context_.mode()][0], from, static_cast<unsigned>(bytes));
  }

  void piece(u8* to, const u8* from, u64 bytes) {
    if (kind_ == Kind::kMovs) move(to, from, bytes);
    else fill(to, bytes);
    if (kind_ == Kind::kMovs) advance(kRsi, bytes);
    advance(kRdi, bytes);
  }

  // By the host's own string instructions, which touch no vector registers.
  static void move(u8* to, const u8* from, u64 bytes) {
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
  }

  void fill(u8* host, u64 bytes) {
    const u64 value = context_.gpr[kRax];
    u64 count = bytes / size_;
    switch (size_) {
      case 1: asm volatile("rep stosb" : "+D"(host), "+c"(count) : "a"(value) : "memory"); break;
      case 2: asm volatile("rep stosw" : "+D"(host), "+c"(count) : "a"(value) : "memory"); break;
      case 4: asm volatile("rep stosl" : "+D"(host), "+c"(count) : "a"(value) : "memory"); break;
      default: asm volatile("rep stosq" : "+D"(host), "+c"(count) : "a"(value) : "memory");
    }
  }

  Exec& e_;
  Context& context_;
  Kind kind_;
  unsigned size_;
  u64 address_mask_;
  ZydisRegister source_segment_;
};

}  // namespace

bool op_string(Exec& e) { return StringOp(e).run(); }

}  // namespace pileus::engine::bt
