#include "engine/bt/translate.h"

#include <algorithm>
#include <cstring>

#include "engine/bt/assembler.h"
#include "engine/bt/block_emitter.h"
#include "engine/bt/stored/store.h"
#include "engine/bt/stubs.h"
#include "engine/bt/tlb.h"
#include "engine/bt/trace.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {
static_assert(kMaxTrace < CodeCache::kMaxInsns);

u64 chunks_of(u64 first, u64 last) {
  u64 mask = 0;
  for (u64 chunk = first / 64; chunk <= last / 64; ++chunk) mask |= u64{1} << chunk;
  return mask;
}

// An instruction of which the next page has the end is translated with what stands there now.
void join_next_page(Context& context, const BlockKey& key, const u8* rest_of_page, u16 page_offset, Trace* trace) {
  if ((context.rip & kPageMask) != page_offset) return;
  const Fault before = context.fault;
  u64 gpa = 0;
  const bool found = translate_code(context, (context.rip & ~kPageMask) + 4096, &gpa);
  context.fault = before;
  const u8* next_page = found ? context.vm->memory().host(gpa, 4096) : nullptr;
  if (next_page == nullptr) return;
  std::array<u8, kMaxInsnBytes> bytes;
  const unsigned here = 4096U - page_offset;
  std::memcpy(bytes.data(), rest_of_page, here);
  std::memcpy(bytes.data() + here, next_page, bytes.size() - here);
  decode_straddling(bytes.data(), bytes.size(), page_offset, key.mode, key.usable, context.vm->cpu().features, trace);
}

// One block on its way from the guest's bytes to the code cache, whose mutex is held.
class Making {
 public:
  Making(Context& context, const BlockKey& key, const u8* host_page)
      : context_(context),
        vm_(*context.vm),
        code_(vm_.code()),
        key_(key),
        host_page_(host_page),
        page_offset_(static_cast<u16>(key.gpa & 4095)),
        length_(static_cast<unsigned>(std::min<u64>(bytes_.size(), 4096U - page_offset_))),
        // Breakpoints are in the code that is made while there are some.
        breaks_(vm_.breaks().any()),
        store_(breaks_ || key.alone ? nullptr : vm_.stored()) {}

  // Whether code for these bytes is kept.
  bool find_kept() {
    if (store_ == nullptr) return false;
    kept_ = store_->find(wanted(host_page_ + page_offset_));
    if (!kept_) return false;
    made_of_ = kept_->guest;
    return true;
  }

  // False: the first bytes are no instruction.
  bool decode() {
    std::memcpy(bytes_.data(), host_page_ + page_offset_, length_);
    decode_trace(bytes_.data(), length_, page_offset_, key_.mode, key_.usable, vm_.cpu().features, &trace_);
    if (trace_.count == 1 && trace_.at[0].kind == Kind::kStraddle && !breaks_)
      join_next_page(context_, key_, bytes_.data(), page_offset_, &trace_);
    if (breaks_) break_trace(trace_, vm_.breaks().offsets());
    if (trace_.count == 0) return false;
    made_of_ = std::span(bytes_).first(std::min<unsigned>(trace_.end_offset, 4096) - page_offset_);
    return true;
  }

  // After one of these has answered true.
  Translated finish(bool arrival, Block** out) {
    vm_.pages().add(key_.gpa, made_of_.size());
    std::atomic_thread_fence(std::memory_order_seq_cst);  // code bits before the second look at the bytes
    if (vm_.pages().take_writable(key_.gpa)) {
      vm_.pages().mark_writable(key_.gpa);
      return Translated::kAgain;
    }
    if (std::memcmp(made_of_.data(), host_page_ + page_offset_, made_of_.size()) != 0) return Translated::kAgain;

    Block* block = code_.room_for_record();
    block->packed_key = key_.packed();
    block->guest_size = static_cast<u16>(made_of_.size());
    block->chunk_mask = chunks_of(page_offset_, page_offset_ + made_of_.size() - 1);
    Assembler before(code_.room(), code_.room_end());
    if (arrival && key_.mode != kModeKernelAc) {
      block->arrival = code_.room();
      emit_arrival(before, key_.mode, page_offset_, vm_.stubs());
      before.align_displacement(0);  // so that what a block has aligned is so wherever it is put
    }
    block->host = before.at();
    const Translated done = kept_ ? place(block) : emit(block);
    if (done != Translated::kDone) return done;
    code_.insert(block, cold_end_);
    *out = block;
    return Translated::kDone;
  }

 private:
  stored::Wanted wanted(const u8* bytes) const { return {bytes, length_, page_offset_, key_.mode, key_.usable}; }

  Translated place(Block* block) {
    u8* const cold = code_.cold_room();
    if (!stored::place_entry(*kept_, code_, block, block->host, cold)) {
      store_->refuse();
      return Translated::kAgain;
    }
    cold_end_ = cold + kept_->cold.size();
    ++context_.stats.blocks_loaded;
    return Translated::kDone;
  }

  Translated emit(Block* block) {
    u8* const cold_begin = code_.cold_room();
    Assembler assembler(block->host, code_.room() + CodeCache::kMaxBlockBytes - 1);
    Assembler cold(cold_begin, cold_begin + CodeCache::kMaxBlockBytes - 1);
    // The end of an instruction on two pages is no part of the bytes that a block is known by.
    const bool keeps = store_ != nullptr && trace_.end_offset <= 4096 && trace_.at[0].kind != Kind::kStraddle;
    places_.count = 0;
    assembler.note_in(keeps ? &places_ : nullptr);
    cold.note_in(keeps ? &places_ : nullptr);
    BlockEmitter emitter(assembler, cold, vm_.stubs(), code_, *block);
    if (!emitter.emit(trace_)) return Translated::kFull;
    cold_end_ = cold.at();
    if (keeps)
      store_->add(wanted(bytes_.data()), {*block, {block->host, assembler.at()}, {cold_begin, cold_end_}, places_},
                  code_);
    ++context_.stats.blocks_translated;
    return Translated::kDone;
  }

  // Guarded by the mutex; too big for a stack.
  static inline Trace trace_;
  static inline stored::Places places_;

  Context& context_;
  Vm& vm_;
  CodeCache& code_;
  const BlockKey key_;
  const u8* host_page_;  // other vCPUs may write to it meanwhile
  std::array<u8, kMaxTrace * 15> bytes_;  // as they were when decoded; most blocks are kept and need no such copy
  u16 page_offset_;
  unsigned length_;
  bool breaks_;
  stored::Store* store_;
  std::optional<stored::Entry> kept_;
  std::span<const u8> made_of_;  // the bytes, on this page
  u8* cold_end_ = nullptr;
};

// The block that is wanted, if its code is kept.
Block* take_kept(Context& context, const BlockKey& key, const u8* host_page) {
  if (!context.vm->code().has_room()) return nullptr;
  Making making(context, key, host_page);
  Block* block = nullptr;
  return making.find_kept() && making.finish(false, &block) == Translated::kDone ? block : nullptr;
}

// Links the exits of a new block to blocks that are there or are kept: each that is linked now need not lead through C++
// first. Whatever is taken in so gets its own exits linked as well.
void link_exits(Context& context, Block* first, const u8* host_page) {
  constexpr unsigned kMost = 16;  // the other vCPUs may be waiting for the mutex
  CodeCache& code = context.vm->code();
  std::array<Block*, kMost> block{first};
  unsigned count = 1;
  for (unsigned i = 0; i < count; ++i) {
    for (unsigned number = 0; number < block[i]->link.size(); ++number) {
      if (block[i]->link[number].site == 0) continue;
      const BlockKey key = block[i]->key_of_exit(number);
      Block* to = code.find(key.packed());
      if (to == nullptr && count < kMost) {
        to = take_kept(context, key, host_page);
        if (to != nullptr) block[count++] = to;
      }
      if (to != nullptr) code.link(block[i], number, to);
    }
  }
}

}  // namespace

Translated translate_block(Context& context, const BlockKey& key, const u8* host_page, bool arrival, Block** out) {
  CodeCache& code = context.vm->code();
  context.doing(Activity::kTranslate);
  const std::lock_guard lock(code.mutex());
  if (Block* found = code.find(key.packed())) {  // another vCPU was faster
    *out = found;
    return Translated::kDone;
  }
  if (!code.has_room()) return Translated::kFull;
  Making making(context, key, host_page);
  if (!making.find_kept() && !making.decode()) return Translated::kInterpretFirst;
  const Translated done = making.finish(arrival, out);
  if (done == Translated::kDone) link_exits(context, *out, host_page);
  return done;
}

const u8* add_arrival(Vm& vm, Block& block) {
  if (block.mode() == kModeKernelAc) return nullptr;
  CodeCache& code = vm.code();
  const std::lock_guard lock(code.mutex());
  if (const u8* there = block.arrival.load()) return there;  // another vCPU was faster
  if (!code.has_room()) return nullptr;
  u8* arrival = code.cold_room();
  Assembler out(arrival, arrival + CodeCache::kMaxBlockBytes);
  emit_arrival(out, block.mode(), static_cast<u16>(block.gpa() & 4095), vm.stubs());
  out.jmp(block.host);
  code.take_cold(out.at());
  block.arrival.store(arrival, std::memory_order_release);
  return arrival;
}

}  // namespace pileus::engine::bt
