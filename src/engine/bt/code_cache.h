// CodeCache: translated blocks by guest-physical address, and their invalidation.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/cast.h"
#include "base/result.h"
#include "engine/bt/code_pages.h"
#include "engine/bt/context.h"
#include "os/mapping.h"
#include "os/populate_ahead.h"

namespace pileus::engine::bt {

struct Insn;
struct Block;

// Where generated code calls into C++: a record that stands in the code cache right behind the stub that passes its
// address.
struct __attribute__((packed)) Site {
  u32 block;  // CodeCache::block_at
  u16 value;  // memory accesses, interpreted instructions: index of the mark; exits, polls: page offset to go on at
  u8 size;    // memory accesses: bytes; exits: Mode to go on in
  u8 flag;    // memory accesses: SiteFlag; exits: number of the link, and kSiteFar
};
inline constexpr u8 kSiteFar = 2;  // an exit to another page, whose virtual address Context::vpage is already
enum SiteFlag : u8 {
  kSiteWrites = 1,
  kSiteStack = 2,  // looks at Tlb::stack alone
  kSiteOwnFault =
      4,  // may raise an exception of its own in place of the operand's, or not store: the interpreter knows
  kSiteAligned = 8,  // what is not aligned is the interpreter's
};
static_assert(sizeof(Site) == 8);
// A memory access that is for the interpreter because of where it goes: see kSiteAligned.
inline bool is_misaligned(const Site& site, u64 address) {
  return (site.flag & kSiteAligned) != 0 && (address & (site.size - 1U)) != 0;
}

// For interpreted instructions.
struct __attribute__((packed)) InsnSite {
  Site site;
  const Insn* insn;
};

inline constexpr unsigned kLinkMode = 12;
inline constexpr u16 kLinkFar = 1U << 15;

// One exit of a block to another block on the same page, or of kernel code on another one (far_links.h), through a jump
// whose displacement is patched.
struct Link {
  u16 site = 0;  // where the 4-byte displacement is, from Block::host; 0: there is no such exit
  u16 leads_to = 0;  // the page offset that it leads to, and the Mode, shifted by kLinkMode; kLinkFar
  u32 unlinked = 0;  // where it goes while not linked, from Block::host as well
  u32 target = 0;  // CodeCache::reference() of the block that it is linked to, or 0
  // In the list of links that lead to `target`: see Block::incoming.
  u32 next = 0;
  u32 before = 0;

  bool is_far() const { return (leads_to & kLinkFar) != 0; }
};

// Of the code at Link::unlinked, which leads to C++. Behind it, when far, is a way through the jump cache.
inline constexpr u32 kUnlinkedBytes = 20;

// No virtual addresses of pages: see Block::vpage.
inline constexpr u64 kNowhere = 1, kSeveralPlaces = 3;

// Where in the block an instruction's host code starts.
struct InsnMark {
  u16 host_offset;
  u16 guest_offset;  // page offset
};

// What a block's code depends on besides its bytes.
struct BlockKey {
  u64 gpa = 0;  // of the first byte
  Mode mode = kModeKernel;
  u8 usable = 0;  // Usable bits
  bool alone = false;  // each of its accesses looks at the TLB by itself: see groups.h
  constexpr u64 packed() const { return gpa | u64{alone} << 59 | u64{mode} << 60 | u64{usable} << 62; }
};

// Lives from translation until the whole cache is flushed (in an exclusive section), even after invalidation. The
// marks stand behind it.
struct Block {
  u64 packed_key = 0;
  u64 inside = 0;  // bit i: instruction i relies on what one before it has found (Groups::inside)
  u64 chunk_mask = 0;  // 64-byte pieces of the page that its bytes lie in
  u8* host = nullptr;
  // Where indirect branches enter: code that makes sure that this block is meant (stubs.h), then goes on at `host`.
  std::atomic<u8*> arrival{nullptr};
  u32 host_size = 0;
  u16 guest_size = 0;
  u8 insn_count = 0;
  bool falls_through = false;  // its last instruction has code behind it: one to leave the block
  std::array<Link, 2> link;
  Block* on_page = nullptr;  // next block made from the same page
  u32 incoming = 0;  // twice the reference of a block, plus the number of its link that leads here; 0: none
  std::atomic<bool> valid{true};
  // Of its page: the virtual address at which kernel code of it is run, or one of the above. The same for all blocks of a
  // page.
  std::atomic<u64> vpage{kNowhere};

  // Whether that has been noted for `at` (CodeCache::run_at). User code's need not be.
  bool runs_at(u64 at) const {
    const u64 place = vpage.load(std::memory_order_relaxed);
    return place == at || place == kSeveralPlaces || mode() == kModeUser;
  }

  BlockKey key() const { return {gpa(), mode(), static_cast<u8>(packed_key >> 62), (packed_key >> 59 & 1) != 0}; }
  u64 gpa() const { return packed_key & ((u64{1} << 59) - 1); }
  Mode mode() const { return static_cast<Mode>(packed_key >> 60 & 3); }
  // What the exit `number` leads to, on the same page.
  BlockKey key_of_exit(unsigned number) const {
    const u16 to = link[number].leads_to;
    return {(gpa() & ~u64{4095}) | (to & 4095U), static_cast<Mode>(to >> kLinkMode & 3), key().usable};
  }
  // insn_count + 1 of them; the last is where the code behind the last instruction is.
  InsnMark* marks() { return static_cast<InsnMark*>(static_cast<void*>(this + 1)); }
  const InsnMark* marks() const { return static_cast<const InsnMark*>(static_cast<const void*>(this + 1)); }
};

// find(), block_at() and generation() may be called by any vCPU thread that counts as running (Vm::enter_running);
// everything else is guarded by mutex().
class CodeCache {
 public:
  // At most `bytes` for code and records together.
  static Result<std::unique_ptr<CodeCache>> create(u64 bytes, CodePages& pages);

  std::mutex& mutex() { return mutex_; }
  // Counts flushes: pointers to blocks and host code are good while it stays the same.
  u64 generation() const { return generation_.load(std::memory_order_acquire); }

  Block* find(u64 packed_key) const {
    const u64 hash = hash_of(packed_key);
    for (u64 slot = hash & slot_mask_;; slot = (slot + 1) & slot_mask_) {
      const u64 entry = table_[slot].load(std::memory_order_acquire);
      if (entry == 0) return nullptr;
      if (entry >> kPointerBits != hash >> kPointerBits) continue;
      Block* block = block_in(entry);
      if (block->packed_key == packed_key) return block;
    }
  }
  Block* block_at(u32 reference) const { return cast_aligned<Block>(records_.data() + u64{reference} * 8); }
  // Whether block_at() may be asked for a reference of which nobody knows where it comes from.
  bool has_block(u32 reference) const {
    return records_.data() + u64{reference} * 8 >= record_base_ && records_.data() + u64{reference} * 8 < record_at_;
  }
  u32 reference(const Block& block) const {
    return static_cast<u32>((reinterpret_cast<const u8*>(&block) - records_.data()) / 8);
  }

  // Room for the next block's host code and record. False when either might not suffice.
  bool has_room() const;
  u8* room() { return code_at_; }
  u8* cold_room() { return cold_at_; }
  u8* room_end() { return cold_base_; }
  Block* room_for_record() { return new (record_at_) Block; }
  // Takes the record from room_for_record(), filled in, and its host code; `cold_end` is where what went to cold_room()
  // ends.
  void insert(Block* block, u8* cold_end);
  void take_cold(u8* cold_end) { cold_at_ = cold_end; }

  // Space that survives flushes, for stubs; before the first block.
  void set_base(u8* end_of_stubs) { code_base_ = code_at_ = end_of_stubs; }
  // Takes `bytes` of such space; before the first block.
  u8* reserve(u64 bytes) {
    u8* taken = code_base_;
    set_base(code_base_ + align_up(bytes, 64));
    return taken;
  }
  void link(Block* from, unsigned number, Block* to);
  // A far exit goes through the jump cache from now on.
  void detour(Block* from, unsigned number);
  // Notes that code of the block's page, not the user's, is run at `vpage`. Far links leave a page at one such place only.
  void run_at(Block& block, u64 vpage);
  // Takes back all far links that lead to a page.
  void unlink_far(guest::Gpa page);
  // Invalidates the blocks made from any byte of [address, address + length) and adds them to `dropped`.
  void invalidate(guest::Gpa address, u64 length, std::vector<const Block*>* dropped);
  // The block whose host code has `pc`, valid or not; nullptr when none.
  const Block* block_of(const u8* pc) const;
  void flush();
  // Decoded instructions, shared by all sites with the same bytes. Survive flushes.
  const Insn* intern(const Insn& insn);
  // The same for the bytes of one 64-bit instruction; nullptr when they are none.
  const Insn* intern(std::span<const u8> bytes);

  const u8* base() const { return code_.data(); }
  // Whether `pc` is in the space that survives flushes.
  bool is_stub(const u8* pc) const { return pc >= code_.data() && pc < code_base_; }
  // Whether `pc` is in the executable mapping: stubs, cells or blocks.
  bool contains(const u8* pc) const { return pc >= code_.data() && pc < code_.data() + code_.size(); }

  u64 code_bytes() const { return static_cast<u64>(code_at_ - code_base_); }
  u64 cold_bytes() const { return static_cast<u64>(cold_at_ - cold_base_); }
  u64 record_bytes() const { return static_cast<u64>(record_at_ - record_base_); }

  static constexpr u64 kMaxBlockBytes = 64 * kKiB;  // of host code, and of cold code: marks have 16 bits
  static constexpr unsigned kMaxInsns = 64;

 private:
  CodeCache(os::Mapping code, os::Mapping records, os::Mapping page_heads, CodePages& pages);

  // An entry of the table: a block's address, and in the upper bits some of its hash, never zero.
  static constexpr unsigned kPointerBits = 48;
  static constexpr u64 kRemoved = 1;  // no hash: matches nothing
  // The low bits are the slot, and code that lies together has slots that do: who asks for one block is going to ask for
  // its neighbours.
  static u64 hash_of(u64 packed_key) {
    const u64 offset = packed_key & 4095;
    u64 hash = (packed_key >> 12) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29;
    hash = hash + offset / 8 + (offset * 0x9E37 << kPointerBits);
    return hash | u64{1} << kPointerBits;
  }
  static Block* block_in(u64 entry) { return reinterpret_cast<Block*>(entry & ((u64{1} << kPointerBits) - 1)); }
  static u64 record_size(unsigned insn_count) {
    return align_up(sizeof(Block) + (insn_count + 1) * sizeof(InsnMark), 8);
  }
  static Block* after(Block* block) {
    return cast_aligned<Block>(reinterpret_cast<u8*>(block) + record_size(block->insn_count));
  }
  u32& page_head(guest::Gpa address) { return cast_aligned<u32>(page_heads_.data())[address >> 12]; }
  Block* first_block() const { return cast_aligned<Block>(record_base_); }
  u32 tag_of(const Block& from, unsigned number) const { return reference(from) * 2 + number; }
  Block* from_of(u32 tag) const { return block_at(tag / 2); }
  static unsigned number_of(u32 tag) { return tag % 2; }
  Link& link_of(u32 tag) const { return from_of(tag)->link[number_of(tag)]; }
  void unlink(Block* from, unsigned number);
  void drop(Block* block);

  std::mutex mutex_;
  std::atomic<u64> generation_{0};
  os::Mapping code_;
  os::Mapping records_;  // the table, then the blocks in order of their host code
  os::Mapping page_heads_;  // per guest page the reference of the first block made from it, or 0
  CodePages& pages_;
  // Code that is hardly ever run is kept apart, so that the rest lies densely.
  u8* code_base_;
  u8* code_at_;
  u8* cold_base_;
  u8* cold_at_;
  std::atomic<u64>* table_;
  u64 slot_mask_;
  u64 slots_used_ = 0;  // removed ones too
  u8* record_base_;
  u8* record_at_;
  // Per kIndexStep bytes of code_ the first block that starts in there, so that block_of() need not start at the first.
  static constexpr u64 kIndexStep = 64 * kKiB;
  enum Filled : u8 { kHotCode, kColdCode, kRecords };  // what ahead_ looks after
  std::vector<Block*> index_;
  std::map<std::array<u8, 16>, std::unique_ptr<Insn>> insns_;
  os::PopulateAhead ahead_;
};

}  // namespace pileus::engine::bt
