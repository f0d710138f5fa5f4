#include "engine/bt/runtime.h"

#include <cstring>

#include "engine/bt/assembler.h"
#include "engine/bt/debug.h"
#include "engine/bt/debug_registers.h"
#include "engine/bt/events.h"
#include "engine/bt/fast_path.h"
#include "engine/bt/fast_system.h"
#include "engine/bt/interp.h"
#include "engine/bt/mmu.h"
#include "engine/bt/tlb.h"
#include "engine/bt/trace.h"
#include "engine/bt/translate.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kCr0Em = 1U << 2, kCr0Ts = 1U << 3, kCr4OsFxsr = 1U << 9, kCr4OsXsave = 1U << 18;
constexpr u64 kXcr0Avx = 6;  // with SSE
constexpr u64 kTrapFlag = 1U << 8;

// Enters the block at context.rip into the jump cache.
void remember(Context& context, Block& block) {
  const u8* arrival = block.arrival.load(std::memory_order_acquire);
  if (arrival == nullptr) arrival = add_arrival(*context.vm, block);
  if (arrival == nullptr) return;
  remember_jump(context, reinterpret_cast<u64>(arrival), block.mode());
  // Another thread may have invalidated the block and swept the caches just before.
  if (!block.valid.load(std::memory_order_seq_cst)) forget_jump(context, block.mode());
}

// Whether translated code of `block` may go on behind an instruction that C++ executed.
bool may_continue(const Context& context, const Block& block, u64 expected_rip) {
  return context.rip == expected_rip && block.valid.load(std::memory_order_acquire) && block.mode() == context.mode() &&
         block.key().usable == usable_now(context) && !must_leave(context);
}

// The block is entered at context.rip.
Block* entered(Context& context, Block* block) {
  const u64 vpage = context.rip & ~kPageMask;
  if (!block->runs_at(vpage)) {
    const std::lock_guard lock(context.vm->code().mutex());
    context.vm->code().run_at(*block, vpage);
  }
  return block;
}

// An instruction of a block on its way through C++: what to go on with afterwards.
class Resume {
 public:
  Resume(Context& context, const Site& site)
      : context_(context),
        code_(context.vm->code()),
        block_(*code_.block_at(site.block)),
        index_(site.value),
        generation_(code_.generation()) {
    context.rip = context.vpage + block_.marks()[index_].guest_offset;
    next_rip_ = context.vpage + block_.marks()[index_ + 1].guest_offset;
  }
  const Block& block() const { return block_; }
  u8* again() const { return code_of(index_); }
  u8* next() const {
    const bool last = index_ + 1U == block_.insn_count;
    if (code_.generation() != generation_ || (last && !block_.falls_through) ||
        !may_continue(context_, block_, next_rip_)) {
      return dispatch(context_);
    }
    return code_of(index_ + 1U);
  }
  // In a block that does not rely on what C++ code may have changed; nullptr when there is none any more.
  u8* alone(unsigned index) const {
    BlockKey key = block_.key();
    key.alone = true;
    const Block* alone = get_block(context_, key, false);
    return alone != nullptr && code_.generation() == generation_ ? code_in(*alone, block_, index) : nullptr;
  }

 private:
  u8* code_of(unsigned index) const {
    if ((block_.inside >> index & 1) == 0) return block_.host + block_.marks()[index].host_offset;
    u8* code = alone(index);
    return code != nullptr ? code : dispatch(context_);
  }

  Context& context_;
  CodeCache& code_;
  const Block& block_;
  unsigned index_;
  u64 generation_;
  u64 next_rip_;
};

u8* on_memory(Context* context, const Site* at, u64 address) {
  Context& c = *context;
  const Site site = *at;
  const Resume resume(c, site);
  c.doing(Activity::kTlbMiss);
  if ((address & kPageMask) + site.size <= 4096 && !is_misaligned(site, address)) {
    bool filled = false;
    const Access access = (site.flag & kSiteWrites) != 0 ? Access::kWrite : Access::kRead;
    if (!fill_tlb(c, address, access, resume.block().mode(), &filled)) {
      // Not canonical: #SS, when it is a stack operand.
      if (c.fault.vector == kVectorGp || (site.flag & kSiteOwnFault) != 0) step(c);
      else deliver_fault(c);
      return dispatch(c);
    }
    if (filled) {
      if ((site.flag & kSiteStack) != 0) tlb_use_for_stack(c, address, access, resume.block().mode());
      return resume.again();
    }
  }
  // Misaligned, MMIO, a page with code in it, or two pages: the interpreter does the whole instruction.
  step(c);
  return resume.next();
}

u8* on_group(Context* context, const Site* at, u64) {
  const Site site = *at;
  const Resume resume(*context, site);
  context->doing(Activity::kLookup);
  // Whatever wants the vCPU has to wait for this instruction, which may be the one behind STI.
  if (u8* code = resume.alone(site.value); code != nullptr) return code;
  step(*context);
  return dispatch(*context);
}

u8* on_interpret(Context* context, const Site* at, u64) {
  InsnSite site;
  std::memcpy(&site, at, sizeof site);
  const Resume resume(*context, site.site);
  if (must_break(*context)) return nullptr;
  execute(*context, *site.insn);
  return resume.next();
}

u8* on_step(Context* context, const Site* at, u64) {
  Context& c = *context;
  c.rip = c.vpage + c.vm->code().block_at(at->block)->marks()[at->value].guest_offset;
  if (must_break(c)) return nullptr;
  step(c);
  return dispatch(c);
}

u8* on_link(Context* context, const Site* at, u64) {
  Context& c = *context;
  const Site site = *at;
  c.rip = c.vpage + site.value;
  c.doing(Activity::kLookup);
  if (must_leave(c)) return nullptr;
  CodeCache& code = c.vm->code();
  const u64 generation = code.generation();
  Block* from = code.block_at(site.block);
  BlockKey key = from->key();
  key.alone = false;
  key.gpa = (key.gpa & ~kPageMask) + site.value;
  key.mode = static_cast<Mode>(site.size);
  const bool far = (site.flag & kSiteFar) != 0;
  if (far && !translate_code(c, c.rip, &key.gpa)) return dispatch(c);  // where the fault is found again
  Block* to = get_block(c, key, false);
  if (to == nullptr) return dispatch(c);
  if (far) {
    note_code_page(c, key.mode);
    if (code.generation() == generation) c.vm->far_links().link(c, from, site.flag & 1, to);
    if (code.generation() != generation) return dispatch(c);
  } else if (code.generation() == generation) {
    const std::lock_guard lock(code.mutex());
    code.link(from, site.flag, to);
  }
  return to->host;
}

u8* on_indirect(Context* context, const Site*, u64 address) {
  context->rip = address;
  return dispatch(*context);
}

u8* on_poll(Context* context, const Site* site, u64) {
  context->rip = context->vpage + site->value;
  return dispatch(*context);
}

// A host signal in translated code or in a native cell; see signals.cc.
u8* on_trap(Context* context, const Site*, u64) {
  Context& c = *context;
  const Vector vector = static_cast<Vector>(c.trap_number);
  const bool has_error = vector == kVectorGp || vector == kVectorSs;
  const auto* pc = reinterpret_cast<const u8*>(c.trap_pc);
  const Block* block = nullptr;
  {
    const std::lock_guard lock(c.vm->code().mutex());
    block = c.vm->code().block_of(pc);
  }
  c.fault = {vector, has_error, 0, 0};
  if (block == nullptr) {  // a native cell: its caller reports the fault
    c.native_fault = true;
    return nullptr;
  }
  const auto offset = static_cast<u32>(pc - block->host);
  u16 page_offset = 0;
  for (unsigned i = 0; i < block->insn_count && block->marks()[i].host_offset <= offset; ++i) {
    page_offset = block->marks()[i].guest_offset;
  }
  c.rip = c.vpage + page_offset;
  deliver_fault(c);
  return dispatch(c);
}

}  // namespace

Callouts runtime_callouts() {
  return {.fast_memory = fast_memory,
          .fast_fault = fast_fault,
          .fast_group = fast_group,
          .group = on_group,
          .fast_indirect = fast_indirect,
          .fast_system = fast_system,
          .fast_step = fast_step,
          .fast_straddle = fast_straddle,
          .step = on_step,
          .memory = on_memory,
          .link = on_link,
          .interpret = on_interpret,
          .indirect = on_indirect,
          .poll = on_poll,
          .trap = on_trap};
}

u8 usable_now(const Context& context) {
  const bool sse = (context.cr0 & (kCr0Em | kCr0Ts)) == 0 && (context.cr4 & kCr4OsFxsr) != 0;
  const bool avx =
      (context.cr0 & kCr0Ts) == 0 && (context.cr4 & kCr4OsXsave) != 0 && (context.xcr0 & kXcr0Avx) == kXcr0Avx;
  return static_cast<u8>((sse ? kUsableSse : 0) | (avx ? kUsableAvx : 0));
}

bool is_translatable(const Context& context) {
  return context.vm->config().bt_mode == BtMode::kTranslate && context.code64() &&
         (context.cpl == 0 || context.cpl == 3) && (context.rflags & kTrapFlag) == 0 && !context.shadow &&
         !has_breakpoints(context) && !checks_alignment(context, context.mode());
}

bool must_leave(const Context& context) {
  return context.exit_request.load(std::memory_order_relaxed) != 0 || context.run_state != RunState::kRunning ||
         (context.irq_waiting != 0 && context.if_flag != 0) || !is_translatable(context);
}

Block* get_block(Context& context, const BlockKey& key, bool arrival) {
  Vm& vm = *context.vm;
  CodeCache& code = vm.code();
  u8* host_page = vm.memory().host(key.gpa & ~kPageMask, 4096);
  if (host_page == nullptr) return nullptr;
  for (;;) {
    if (Block* block = code.find(key.packed())) return entered(context, block);
    // From here on no vCPU may write the page without being seen; then its bytes can be read and relied on.
    vm.pages().add(key.gpa, 1);
    if (vm.pages().take_writable(key.gpa)) {
      vm.exclusive(context, [&] {
        for (Context* other : vm.contexts()) flush_tlb_writes_to(*other, host_page);
      });
    }
    Block* block = nullptr;
    switch (translate_block(context, key, host_page, arrival, &block)) {
      case Translated::kDone: return entered(context, block);
      case Translated::kInterpretFirst: return nullptr;
      case Translated::kFull: vm.flush_code(context); break;
      case Translated::kAgain: break;
    }
  }
}

u8* dispatch(Context& context) {
  for (;;) {
    context.doing(Activity::kLookup);
    if (must_leave(context) || must_break(context)) return nullptr;
    if (context.usable != usable_now(context)) {
      context.usable = usable_now(context);
      flush_jumps(context, kModeKernel);
      flush_jumps(context, kModeUser);
      forget_returns(context.returns, 0);
      forget_returns(context.returns, 1);
    }
    select_returns(context.returns, context.cpl == 3 ? 1 : 0);
    ++context.stats.block_lookups;
    u64 gpa = 0;
    if (!translate_code(context, context.rip, &gpa)) {
      deliver_fault(context);
      continue;
    }
    Block* block = get_block(context, {gpa, context.mode(), context.usable}, true);
    if (block == nullptr) {
      step(context);
      continue;
    }
    context.vpage = context.rip & ~kPageMask;
    note_code_page(context, block->mode());
    remember(context, *block);
    return block->host;
  }
}

}  // namespace pileus::engine::bt
