#include "engine/bt/code_cache.h"

#include <algorithm>

#include "engine/bt/assembler.h"
#include "engine/bt/interp.h"

namespace pileus::engine::bt {

namespace {
// The displacement is 4-byte aligned, so other vCPUs that run the jump see the old or the new target.
void patch_atomically(u8* site, const u8* target) {
  const u32 displacement = static_cast<u32>(target - (site + 4));
  __atomic_store_n(static_cast<u32*>(static_cast<void*>(site)), displacement, __ATOMIC_RELEASE);
}

u64 chunk_mask(u64 page_offset, u64 length) {
  const u64 first = page_offset / 64;
  const u64 last = std::min<u64>(63, (page_offset + length - 1) / 64);
  return (last == 63 ? ~u64{0} : (u64{1} << (last + 1)) - 1) & ~((u64{1} << first) - 1);
}
}  // namespace

Result<std::unique_ptr<CodeCache>> CodeCache::create(u64 bytes, CodePages& pages) {
  os::Mapping code = TRY(os::Mapping::anonymous(bytes, true).with("translation cache"));
  return std::unique_ptr<CodeCache>(new CodeCache(std::move(code), pages));
}

CodeCache::CodeCache(os::Mapping code, CodePages& pages)
    : code_(std::move(code)), code_base_(code_.data()), code_at_(code_.data()), pages_(pages), table_(u64{1} << kHashBits) {}

Block* CodeCache::find(const BlockKey& key) const {
  for (Block* block = table_[hash(key)]; block != nullptr; block = block->next) {
    if (block->key == key) return block;
  }
  return nullptr;
}

Block* CodeCache::insert(std::unique_ptr<Block> block) {
  Block* inserted = block.get();
  code_at_ = inserted->host + align_up(inserted->host_size, 16);
  Block*& head = table_[hash(inserted->key)];
  inserted->next = head;
  head = inserted;
  by_page_[inserted->key.gpa >> 12].push_back(inserted);
  blocks_.push_back(std::move(block));
  return inserted;
}

void CodeCache::link(Block* from, unsigned number, Block* to) {
  if (!from->valid || !to->valid) return;
  Link& link = from->link[number];
  if (link.target != nullptr) return;
  link.target = to;
  to->incoming.emplace_back(from, number);
  patch_atomically(link.site, to->host);
}

void CodeCache::unlink(Block* from, unsigned number) {
  Link& link = from->link[number];
  if (link.target == nullptr) return;
  std::erase(link.target->incoming, std::pair{from, number});
  link.target = nullptr;
  patch_atomically(link.site, link.unlinked);
}

void CodeCache::drop(Block* block) {
  block->valid.store(false, std::memory_order_seq_cst);
  Block** at = &table_[hash(block->key)];
  while (*at != block) at = &(*at)->next;
  *at = block->next;
  while (!block->incoming.empty()) unlink(block->incoming.back().first, block->incoming.back().second);
  for (unsigned number = 0; number < block->link.size(); ++number) unlink(block, number);
}

bool CodeCache::invalidate(guest::Gpa address, u64 length) {
  bool any = false;
  const u64 end = address + length;
  while (address < end) {
    const u64 in_page = std::min(end - address, 4096 - (address & 4095));
    const auto page = by_page_.find(address >> 12);
    if (page != by_page_.end()) {
      const u64 hit = chunk_mask(address & 4095, in_page);
      u64 left = 0;
      std::erase_if(page->second, [&](Block* block) {
        if ((block->chunk_mask & hit) == 0) {
          left |= block->chunk_mask;
          return false;
        }
        drop(block);
        any = true;
        return true;
      });
      pages_.set(address, left);
      if (page->second.empty()) by_page_.erase(page);
    } else {
      pages_.set(address, 0);
    }
    address += in_page;
  }
  return any;
}

const Block* CodeCache::block_of(const u8* pc) const {
  const auto after = std::upper_bound(blocks_.begin(), blocks_.end(), pc,
                                      [](const u8* at, const std::unique_ptr<Block>& block) { return at < block->host; });
  if (after == blocks_.begin()) return nullptr;
  const Block* block = std::prev(after)->get();
  return pc < block->host + block->host_size ? block : nullptr;
}

void CodeCache::flush() {
  for (const auto& [page, blocks] : by_page_) pages_.set(page << 12, 0);
  by_page_.clear();
  blocks_.clear();
  std::fill(table_.begin(), table_.end(), nullptr);
  code_at_ = code_base_;
  generation_.fetch_add(1, std::memory_order_acq_rel);
}

const Insn* CodeCache::intern(const Insn& insn) {
  std::array<u8, 16> key = insn.bytes;
  std::fill(key.begin() + insn.info.length, key.end(), u8{0});
  std::unique_ptr<Insn>& entry = insns_[key];
  if (!entry) entry = std::make_unique<Insn>(insn);
  return entry.get();
}

}  // namespace pileus::engine::bt
