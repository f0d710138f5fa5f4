#include "engine/bt/fast_path.h"

#include "engine/bt/tlb.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {

// Has the TLB lead to the site's page, all of whose bytes are in one. Code to look again, or nullptr.
u8* fill(Context* context, const Site* site, u64 address) {
  const Block& block = *context->vm->code().block_at(site->block);
  const Access access = (site->flag & kSiteWrites) != 0 ? Access::kWrite : Access::kRead;
  const bool stack = (site->flag & kSiteStack) != 0;
  if (!stack || !tlb_use_for_stack(*context, address, access, block.mode())) {
    Walk walk;
    if (!walk_pages(*context, address, access, block.mode(), &walk)) return nullptr;
    if (!tlb_insert(*context, address, walk, access, block.mode())) return nullptr;
    if (stack) tlb_use_for_stack(*context, address, access, block.mode());
  }
  return block.host + block.marks()[site->value].host_offset;
}

}  // namespace

u8* fast_memory(Context* context, const Site* site, u64 address) {
  context->doing_fast(Activity::kTlbMiss);
  context->fault.vector = 0;  // what fast_fault() finds is of this access
  if ((address & kPageMask) + site->size > 4096 || is_misaligned(*site, address)) return nullptr;
  return fill(context, site, address);
}

u8* fast_group(Context* context, const Site* site, u64 address) {
  context->doing_fast(Activity::kTlbMiss);
  const bool misaligned = (site->flag & kSiteStack) != 0 && (address & 7) != 0;
  if ((address & kPageMask) + site->size <= 4096 && !misaligned) return fill(context, site, address);
  const CodeCache& code = context->vm->code();
  const Block& block = *code.block_at(site->block);
  BlockKey key = block.key();
  key.alone = true;
  const Block* alone = code.find(key.packed());
  return alone != nullptr && alone->runs_at(context->vpage) ? code_in(*alone, block, site->value) : nullptr;
}

u8* fast_indirect(Context* context, const Site*, u64 address) {
  Context& c = *context;
  c.doing_fast(Activity::kLookup);
  // In this order: a request that comes in between empties the mask again.
  if (c.jump_mask.load(std::memory_order_relaxed) == 0) c.jump_mask.store(kJumpMask, std::memory_order_seq_cst);
  if (c.exit_request.load(std::memory_order_seq_cst) != 0 || (c.irq_waiting != 0 && c.if_flag != 0)) return nullptr;
  ++c.stats.block_lookups;
  u64 gpa = 0;
  if (!translate_code(c, address, &gpa)) return nullptr;
  const Mode mode = c.mode();
  const Block* block = c.vm->code().find(BlockKey{gpa, mode, c.usable}.packed());
  if (block == nullptr) return nullptr;
  const u8* arrival = block->arrival.load(std::memory_order_acquire);
  if ((arrival == nullptr && mode != kModeKernelAc) || !block->runs_at(address & ~kPageMask)) return nullptr;
  c.rip = address;
  c.vpage = address & ~kPageMask;
  remember_jump(c, reinterpret_cast<u64>(arrival), mode);
  // Another thread may have invalidated the block and swept the caches just before.
  if (!block->valid.load(std::memory_order_seq_cst)) forget_jump(c, mode);
  return block->host;
}

u8* fast_straddle(Context* context, const Site* at, u64) {
  Context& c = *context;
  if (c.debug != nullptr) return nullptr;
  c.doing_fast(Activity::kLookup);
  // Not copied, and the page's bytes in two pieces: with sanitizers what copies more is a function that uses vector registers.
  const auto& site = *reinterpret_cast<const StraddleSite*>(at);
  u64 gpa = 0;
  if (!translate_code(c, c.vpage + 4096, &gpa)) return nullptr;  // the fault is found again on the slow way
  const u8* page = c.vm->memory().host(gpa, 4096);
  if (page == nullptr) return nullptr;
  u64 bytes[2];
  __builtin_memcpy(&bytes[0], page, sizeof bytes[0]);
  __builtin_memcpy(&bytes[1], page + sizeof bytes[0], sizeof bytes[1]);
  if (((bytes[0] ^ site.bytes[0]) & site.mask[0]) != 0 || ((bytes[1] ^ site.bytes[1]) & site.mask[1]) != 0)
    return nullptr;
  return const_cast<u8*>(reinterpret_cast<const u8*>(at) + sizeof site);
}

}  // namespace pileus::engine::bt
