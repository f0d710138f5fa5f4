#include "engine/bt/translate.h"

#include <algorithm>
#include <cstring>

#include "engine/bt/assembler.h"
#include "engine/bt/block_emitter.h"
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
}  // namespace

Translated translate_block(Context& context, const BlockKey& key, const u8* host_page, bool arrival, Block** out) {
  Vm& vm = *context.vm;
  CodeCache& code = vm.code();
  const auto page_offset = static_cast<u16>(key.gpa & 4095);
  context.doing(Activity::kTranslate);
  std::array<u8, kMaxTrace * 15> bytes;
  const auto length = static_cast<unsigned>(std::min<u64>(bytes.size(), 4096U - page_offset));

  const std::lock_guard lock(code.mutex());
  if (Block* found = code.find(key.packed())) {  // another vCPU was faster
    *out = found;
    return Translated::kDone;
  }
  if (!code.has_room()) return Translated::kFull;

  static Trace trace;  // guarded by the mutex; too big for a stack
  std::memcpy(bytes.data(), host_page + page_offset, length);
  decode_trace(bytes.data(), length, page_offset, key.mode, key.usable, vm.cpu().features, &trace);
  if (trace.count == 1 && trace.at[0].kind == Kind::kStraddle && !vm.breaks().offsets().any())
    join_next_page(context, key, bytes.data(), page_offset, &trace);
  if (vm.breaks().offsets().any()) break_trace(trace, vm.breaks().offsets());
  if (trace.count == 0) return Translated::kInterpretFirst;
  const unsigned size = std::min<unsigned>(trace.end_offset, 4096) - page_offset;  // of this page
  vm.pages().add(key.gpa, size);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // code bits before the second look at the bytes
  if (vm.pages().take_writable(key.gpa)) {
    vm.pages().mark_writable(key.gpa);
    return Translated::kAgain;
  }
  if (std::memcmp(bytes.data(), host_page + page_offset, size) != 0) return Translated::kAgain;

  Block* block = code.room_for_record();
  block->packed_key = key.packed();
  block->guest_size = static_cast<u16>(size);
  block->chunk_mask = chunks_of(page_offset, page_offset + size - 1U);
  Assembler before(code.room(), code.room_end());
  if (arrival && key.mode != kModeKernelAc) {
    block->arrival = code.room();
    emit_arrival(before, key.mode, page_offset, vm.stubs());
  }
  block->host = before.at();
  Assembler assembler(block->host, code.room() + CodeCache::kMaxBlockBytes - 1);
  Assembler cold(code.cold_room(), code.cold_room() + CodeCache::kMaxBlockBytes - 1);
  BlockEmitter emitter(assembler, cold, vm.stubs(), code, *block);
  if (!emitter.emit(trace)) return Translated::kFull;
  code.insert(block, cold.at());
  ++context.stats.blocks_translated;
  *out = block;
  return Translated::kDone;
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
