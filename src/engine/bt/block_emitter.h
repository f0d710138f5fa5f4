// BlockEmitter: turns a Trace into host code.
//
// Invariants of the code it makes:
// 1. nothing guest-visible has changed when a memory access misses: the access is probed before any register or
//    memory is written, so the instruction can be started again or handed to the interpreter;
// 2. the guest's arithmetic flags are in the host's flags at every instruction boundary where they are live;
// 3. Context::vpage is the virtual address of the page that the block is on: the code does not depend on where its
//    page is mapped, but for where exits to other pages are linked to (far_links.h).
#pragma once

#include <array>
#include <vector>

#include "engine/bt/assembler.h"
#include "engine/bt/code_cache.h"
#include "engine/bt/groups.h"
#include "engine/bt/registers.h"
#include "engine/bt/stubs.h"
#include "engine/bt/trace.h"

namespace pileus::engine::bt {

class BlockEmitter {
 public:
  // `cold` takes what is hardly ever run.
  BlockEmitter(Assembler& out, Assembler& cold, const Stubs& stubs, CodeCache& cache, Block& block)
      : out_(out), cold_(cold), stubs_(stubs), cache_(cache), block_(block) {}

  // False when the room did not suffice.
  bool emit(const Trace& trace);
  // Code that runs one instruction with its memory operand at the host address in Context::scratch[1], then leaves.
  bool emit_cell(const TraceInsn& at);

 private:
  // How the host reaches a guest memory operand after its probe.
  struct HostOperand {
    unsigned base = Assembler::kNone;
    unsigned index = Assembler::kNone;
    i32 displacement = 0;
  };
  // A guest address before translation.
  struct GuestOperand {
    unsigned base = kNoReg;   // guest registers
    unsigned index = kNoReg;
    unsigned scale = 1;
    i32 displacement = 0;
    bool rip_relative = false;
    u64 segment_base = 0;  // offset in Context of FS's or GS's base, or 0
    bool narrow = false;   // 32-bit address size
  };
  // How the way of a miss gets at the address.
  enum class Recover : u8 { kLea, kDiff, kAgain };
  struct MemoryStub {
    const u8* probe;  // to look again
    u8* jump;         // displacement to patch
    u16 insn;  // index in the trace
    u8 size;
    bool write;
    bool stack;
    bool own_fault;
    bool aligned;
    Recover recover;
    GuestOperand operand;
  };
  // The way of a group's first access when not all bytes of the group are there.
  struct GroupStub {
    u8* jump;  // displacement to patch
    const u8* back;  // behind the check
    u16 insn;  // index in the trace
    bool flags_live;
    Sharing group;
  };
  struct ExitStub {
    u8* jump;
    i32 target;
    unsigned number;
    Mode mode;
  };
  struct FarStub {
    u8* jump;
    i32 target;
  };
  // An instruction that the interpreter does where what stands in line cannot.
  struct SlowStub {
    explicit SlowStub(unsigned index) : insn(static_cast<u16>(index)) {}
    u16 insn;  // index in the trace
    unsigned jumps = 0;
    std::array<u8*, 5> jump{};  // displacements to patch
    const u8* back = nullptr;  // where to go on
  };
  struct PollStub {
    u8* jump;
    u16 page_offset;
  };

  // memory (emit_memory.cc)
  static GuestOperand guest_operand(const TraceInsn& at);
  static GuestOperand stack_operand(i32 displacement);
  // Which temporaries a probe's result may take where the guest's base register does not do.
  enum class Room : u8 { kOne, kFirst, kBoth };
  HostOperand probe(const TraceInsn& at, const GuestOperand& operand, unsigned size, bool write,
                    Room room = Room::kOne);
  void address_to_t0(Assembler& out, const GuestOperand& operand);
  bool is_simple(const GuestOperand& operand) const;
  static bool is_stack_slot(const GuestOperand& operand, unsigned size);
  void emit_memory_stub(const MemoryStub& stub);

  // groups of accesses (emit_groups.cc)
  HostOperand probe_stack(const TraceInsn& at, i32 displacement, bool write);
  HostOperand shared_operand(const TraceInsn& at, const Sharing& sharing, i32 displacement);
  void enter_group(const TraceInsn& at, const Sharing& group);
  u8* check_group(Assembler& out, const Sharing& group, bool flags_live);
  u64 addend_of(const Sharing& sharing) const;
  void emit_group_stub(const GroupStub& stub);

  // copies (emit_copy.cc)
  // `fixed`: the memory operand's host address is in gs:[scratch + 8]; nothing is probed.
  bool copy(const TraceInsn& at, bool fixed = false);
  // Of one without memory operand.
  static bool copy_clobbers_t1(const Insn& insn);
  // The register fields of an encoding, 4 bits each.
  struct Fields {
    unsigned reg = 0;
    unsigned rm = kNoReg;  // not with `memory`
    unsigned vvvv = 0;
    bool memory = false;
  };
  void vex_prefix(const ZydisDecodedInstruction& info, const Fields& fields, const HostOperand& operand);
  void legacy_prefixes(const ZydisDecodedInstruction& info, const Fields& fields, const HostOperand& operand,
                       bool drops_rep);
  void reencode(const TraceInsn& at, const Fields& fields, const HostOperand& operand);

  // the rest (block_emitter.cc)
  void insn(const Trace& trace, unsigned i);
  bool keeps_t1(const TraceInsn& at) const;
  void push(const TraceInsn& at);
  void pop(const TraceInsn& at);
  void leave(const TraceInsn& at);
  void interpret(const TraceInsn& at) { interpret(out_, at, index_); }
  void interpret(Assembler& out, const TraceInsn& at, unsigned index);
  void look_at_next_page(const TraceInsn& at);
  void poll(u16 page_offset, u64 field);
  void load_guest(unsigned host, unsigned guest) { load_guest(out_, host, guest); }
  static void load_guest(Assembler& out, unsigned host, unsigned guest);
  void store_guest(unsigned guest, unsigned host);

  // system instructions (emit_system.cc)
  void set_ac(const TraceInsn& at);
  void swap_gs();
  void read_tsc(const TraceInsn& at);
  void push_flags(const TraceInsn& at);
  void read_control(const TraceInsn& at);
  void read_selector(const TraceInsn& at);
  void set_if();

  // strings (emit_string.cc) and bits of strings of them (emit_bits.cc)
  void string_store(const TraceInsn& at);
  void string_copy(const TraceInsn& at);
  void check_count(SlowStub& slow);
  void check_piece(SlowStub& slow, unsigned pointer, unsigned size, bool write);
  void run_string(const TraceInsn& at, unsigned size);
  void bit_test(const TraceInsn& at);
  void bit_word_to_t0(const TraceInsn& at, unsigned number, bool wide);
  // Goes the slow way unless T0 is zero.
  void unless_zero(SlowStub& slow);

  // control flow (emit_control.cc)
  void call(const TraceInsn& at);
  void call_indirect(const TraceInsn& at);
  void jump(const TraceInsn& at);
  void jump_indirect(const TraceInsn& at);
  void poll_backward(const TraceInsn& at, i32 target);
  void branch(const TraceInsn& at);
  void count_branch(const TraceInsn& at);
  void ret(const TraceInsn& at);
  void target_to_t0(const TraceInsn& at);
  void push_return(const TraceInsn& at);
  void landing(const TraceInsn& at);
  void exit_to(i32 target, unsigned number) { exit_to(target, number, block_.mode()); }
  void exit_to(i32 target, unsigned number, Mode mode);
  void far_exit(Assembler& out, i32 target, Mode mode);
  bool links_far() const;
  void enter_page(i32 distance);
  static i32 branch_target(const TraceInsn& at);
  static bool on_page(i32 target) { return target >= 0 && target < 4096; }
  static i32 page_of(i32 target) { return target & ~4095; }
  void emit_exit_stub(const ExitStub& stub);
  void emit_site(Assembler& out, const u8* callout, u16 value, u8 size, u8 flag);
  void emit_cold(const Trace& trace);

  Assembler& out_;
  Assembler& cold_;
  const Stubs& stubs_;
  CodeCache& cache_;
  Block& block_;
  unsigned index_ = 0;  // of the instruction that is being emitted
  Groups groups_;
  // Where in the Context the addend lies that T1 has now, or kNothing.
  static constexpr u64 kNothing = 0;
  u64 in_t1_ = kNothing;
  std::vector<MemoryStub> memory_stubs_;
  std::vector<GroupStub> group_stubs_;
  std::vector<ExitStub> exit_stubs_;
  std::vector<FarStub> far_stubs_;
  std::vector<FarStub> elsewhere_stubs_;
  std::vector<PollStub> poll_stubs_;
  std::vector<SlowStub> slow_stubs_;
};

}  // namespace pileus::engine::bt
