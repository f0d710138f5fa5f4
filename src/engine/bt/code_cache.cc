#include "engine/bt/code_cache.h"

#include <algorithm>
#include <bit>

#include "engine/bt/assembler.h"
#include "engine/bt/interp.h"

namespace pileus::engine::bt {

namespace {

// What a block takes in a boot of Debian, roughly: 190 bytes of code, 120 of code that is seldom run, 155 of records; and
// the table beside them. Whichever is full first empties all of them.
constexpr u64 kCodeShare = 21, kShares = 32;
constexpr u64 kHotShare = 10, kColdShares = 16;  // of the code
constexpr u64 kBytesPerSlot = 256;  // of the whole cache: the table stays half empty

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
  const u64 code_bytes = align_up(bytes / kShares * kCodeShare, 4096);
  os::Mapping code = TRY(os::Mapping::anonymous(code_bytes, true).with("translation cache"));
  code.use_huge_pages();
  os::Mapping records = TRY(os::Mapping::anonymous(align_up(bytes - code_bytes, 4096)).with("translation cache"));
  records.use_huge_pages();
  os::Mapping heads =
      TRY(os::Mapping::anonymous(align_up(pages.count() * sizeof(u32), 4096)).with("translation cache"));
  return std::unique_ptr<CodeCache>(new CodeCache(std::move(code), std::move(records), std::move(heads), pages));
}

CodeCache::CodeCache(os::Mapping code, os::Mapping records, os::Mapping page_heads, CodePages& pages)
    : code_(std::move(code)),
      records_(std::move(records)),
      page_heads_(std::move(page_heads)),
      pages_(pages),
      code_base_(code_.data()),
      code_at_(code_.data()),
      cold_base_(code_.data() + align_up(code_.size() / kColdShares * kHotShare, 64)),
      cold_at_(cold_base_),
      table_(cast_aligned<std::atomic<u64>>(records_.data())),
      slot_mask_(std::bit_floor((code_.size() + records_.size()) / kBytesPerSlot) - 1),
      record_base_(records_.data() + (slot_mask_ + 1) * sizeof(u64)),
      record_at_(record_base_),
      index_(code_.size() / kIndexStep + 1),
      ahead_(std::array{std::span(code_base_, cold_base_), std::span(cold_base_, code_.data() + code_.size()),
                        std::span(records_.data(), records_.size())}) {
  ahead_.used(kRecords, record_base_);
}

bool CodeCache::has_room() const {
  return static_cast<u64>(cold_base_ - code_at_) >= kMaxBlockBytes &&
         static_cast<u64>(code_.data() + code_.size() - cold_at_) >= kMaxBlockBytes &&
         static_cast<u64>(records_.data() + records_.size() - record_at_) >= record_size(kMaxInsns) &&
         slots_used_ < slot_mask_ / 4 * 3;
}

void CodeCache::insert(Block* block, u8* cold_end) {
  Block*& indexed = index_[static_cast<u64>(block->host - code_.data()) / kIndexStep];
  if (indexed == nullptr) indexed = block;
  code_at_ = block->host + align_up(block->host_size, 16);
  cold_at_ = cold_end;
  record_at_ = reinterpret_cast<u8*>(after(block));
  ahead_.used(kHotCode, code_at_);
  ahead_.used(kColdCode, cold_at_);
  ahead_.used(kRecords, record_at_);
  u32& head = page_head(block->gpa());
  block->on_page = head != 0 ? block_at(head) : nullptr;
  if (head != 0) block->vpage = block_at(head)->vpage.load();
  head = reference(*block);

  const u64 hash = hash_of(block->packed_key);
  u64 slot = hash & slot_mask_;
  while (table_[slot].load(std::memory_order_relaxed) > kRemoved) slot = (slot + 1) & slot_mask_;
  if (table_[slot].load(std::memory_order_relaxed) == 0) ++slots_used_;
  const u64 entry = (hash >> kPointerBits << kPointerBits) | reinterpret_cast<u64>(block);
  table_[slot].store(entry, std::memory_order_release);
}

void CodeCache::link(Block* from, unsigned number, Block* to) {
  if (!from->valid || !to->valid) return;
  Link& link = from->link[number];
  if (link.target != 0) return;
  const u32 tag = tag_of(*from, number);
  link.target = reference(*to);
  link.next = to->incoming;
  if (link.next != 0) link_of(link.next).before = tag;
  to->incoming = tag;
  patch_atomically(from->host + link.site, to->host);
}

void CodeCache::unlink(Block* from, unsigned number) {
  Link& link = from->link[number];
  if (link.target == 0) return;
  if (link.before != 0) link_of(link.before).next = link.next;
  else block_at(link.target)->incoming = link.next;
  if (link.next != 0) link_of(link.next).before = link.before;
  link.target = link.next = link.before = 0;
  patch_atomically(from->host + link.site, from->host + link.unlinked);
}

void CodeCache::detour(Block* from, unsigned number) {
  unlink(from, number);
  const Link& link = from->link[number];
  patch_atomically(from->host + link.site, from->host + link.unlinked + kUnlinkedBytes);
}

void CodeCache::run_at(Block& block, u64 vpage) {
  if (block.runs_at(vpage)) return;
  const u32 head = page_head(block.gpa());
  // Not that of the block, which may not be valid any more: others may have been made of the page since.
  const u64 before = head != 0 ? block_at(head)->vpage.load() : block.vpage.load();
  const u64 place = before == kNowhere || before == vpage ? vpage : kSeveralPlaces;
  for (Block* other = head != 0 ? block_at(head) : nullptr; other != nullptr; other = other->on_page) {
    other->vpage = place;
    for (unsigned number = 0; place == kSeveralPlaces && number < other->link.size(); ++number) {
      if (other->link[number].site != 0 && other->link[number].is_far()) detour(other, number);
    }
  }
  block.vpage = place;  // it may not be valid any more, and in no list
}

void CodeCache::unlink_far(guest::Gpa page) {
  const u32 head = page_head(page);
  for (Block* block = head != 0 ? block_at(head) : nullptr; block != nullptr; block = block->on_page) {
    for (u32 incoming = block->incoming; incoming != 0;) {
      Block* from = from_of(incoming);
      const unsigned number = number_of(incoming);
      incoming = from->link[number].next;
      if (from->link[number].is_far()) unlink(from, number);
    }
  }
}

// All but its place in the list of its page.
void CodeCache::drop(Block* block) {
  block->valid.store(false, std::memory_order_seq_cst);
  u64 slot = hash_of(block->packed_key) & slot_mask_;
  for (;; slot = (slot + 1) & slot_mask_) {
    const u64 entry = table_[slot].load(std::memory_order_relaxed);
    if (entry > kRemoved && block_in(entry) == block) break;
  }
  table_[slot].store(kRemoved, std::memory_order_release);
  while (block->incoming != 0) unlink(from_of(block->incoming), number_of(block->incoming));
  for (unsigned number = 0; number < block->link.size(); ++number) unlink(block, number);
}

void CodeCache::invalidate(guest::Gpa address, u64 length, std::vector<const Block*>* dropped) {
  const u64 end = address + length;
  while (address < end) {
    const u64 in_page = std::min(end - address, 4096 - (address & 4095));
    if ((address >> 12) >= pages_.count()) return;
    const u64 hit = chunk_mask(address & 4095, in_page);
    u64 left = 0;
    u32& head = page_head(address);
    Block* before = nullptr;  // that stays
    Block* next = nullptr;
    for (Block* block = head != 0 ? block_at(head) : nullptr; block != nullptr; block = next) {
      next = block->on_page;
      if ((block->chunk_mask & hit) == 0) {
        left |= block->chunk_mask;
        before = block;
        continue;
      }
      if (before != nullptr) before->on_page = next;
      else head = next != nullptr ? reference(*next) : 0;
      drop(block);
      dropped->push_back(block);
    }
    pages_.set(address, left);
    address += in_page;
  }
}

const Block* CodeCache::block_of(const u8* pc) const {
  if (!contains(pc) || pc < code_base_) return nullptr;
  // The last one that starts before `pc` may have started some steps before.
  u64 step = static_cast<u64>(pc - code_.data()) / kIndexStep;
  while (step > 0 && (index_[step] == nullptr || index_[step]->host > pc)) --step;
  for (Block* block = index_[step]; block != nullptr && reinterpret_cast<u8*>(block) < record_at_;
       block = after(block)) {
    if (pc < block->host) return nullptr;
    if (pc < block->host + block->host_size) return block;
  }
  return nullptr;
}

void CodeCache::flush() {
  for (Block* block = first_block(); reinterpret_cast<u8*>(block) < record_at_; block = after(block)) {
    pages_.set(block->gpa(), 0);
    page_head(block->gpa()) = 0;
  }
  std::fill(index_.begin(), index_.end(), nullptr);
  for (u64 slot = 0; slot <= slot_mask_; ++slot) table_[slot].store(0, std::memory_order_relaxed);
  slots_used_ = 0;
  record_at_ = record_base_;
  code_at_ = code_base_;
  cold_at_ = cold_base_;
  generation_.fetch_add(1, std::memory_order_acq_rel);
}

const Insn* CodeCache::intern(const Insn& insn) {
  std::array<u8, 16> key = insn.bytes;
  std::fill(key.begin() + insn.info.length, key.end(), u8{0});
  std::unique_ptr<Insn>& entry = insns_[key];
  if (!entry) entry = std::make_unique<Insn>(insn);
  return entry.get();
}

const Insn* CodeCache::intern(std::span<const u8> bytes) {
  std::array<u8, 16> key{};
  if (bytes.size() >= key.size()) return nullptr;
  std::copy(bytes.begin(), bytes.end(), key.begin());
  if (const auto found = insns_.find(key); found != insns_.end() && found->second->info.length == bytes.size())
    return found->second.get();
  Insn insn;
  const auto length = static_cast<unsigned>(bytes.size());
  return decode(bytes.data(), length, 64, &insn) && insn.info.length == length ? intern(insn) : nullptr;
}

}  // namespace pileus::engine::bt
