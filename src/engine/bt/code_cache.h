// CodeCache: translated blocks by guest-physical address, and their invalidation.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "engine/bt/code_pages.h"
#include "engine/bt/context.h"
#include "os/mapping.h"

namespace pileus::engine::bt {

struct Insn;
struct Block;

// Where generated code calls into C++: a record that stands in the code cache right behind the stub that passes its
// address. `retry` and `next` are distances from the record to host code.
struct Site {
  Block* block;
  i32 retry;        // start of the instruction's memory access, or 0
  i32 next;         // code of the following instruction, or 0 when the block ends here
  u16 page_offset;  // of the instruction; for exits, of the target
  u8 size;          // bytes accessed
  u8 flag;          // memory access: 1 = write; exits: number of the link
  u32 length;        // of the instruction
  const Insn* insn;  // interpreted instructions only

  u8* at(i32 distance) const { return const_cast<u8*>(reinterpret_cast<const u8*>(this)) + distance; }
};
static_assert(sizeof(Site) == 32);

// One exit of a block to another block on the same page, through a jump whose displacement is patched.
struct Link {
  u8* site = nullptr;      // of the 4-byte displacement
  u8* unlinked = nullptr;  // where it goes while not linked
  Block* target = nullptr;
};

// Where in the block an instruction's host code starts.
struct InsnMark {
  u32 host_offset;
  u16 guest_offset;  // page offset
};

// What a block's code depends on besides its bytes.
struct BlockKey {
  u64 gpa = 0;  // of the first byte
  Mode mode = kModeKernel;
  bool fpu_usable = false;
  bool operator==(const BlockKey&) const = default;
};

// Lives from translation until the whole cache is flushed (in an exclusive section), even after invalidation.
struct Block {
  BlockKey key;
  std::atomic<bool> valid{true};
  u16 size = 0;  // guest bytes
  u32 host_size = 0;
  u8* host = nullptr;
  u64 chunk_mask = 0;  // 64-byte pieces of the page that its bytes lie in
  std::array<Link, 2> link;
  std::vector<InsnMark> marks;
  std::vector<std::pair<Block*, unsigned>> incoming;  // links of other blocks that jump here
  Block* next = nullptr;                              // hash chain
};

// All of it is guarded by mutex(), but for generation().
class CodeCache {
 public:
  static Result<std::unique_ptr<CodeCache>> create(u64 bytes, CodePages& pages);

  std::mutex& mutex() { return mutex_; }
  // Counts flushes: pointers to blocks and host code are good while it stays the same.
  u64 generation() const { return generation_.load(std::memory_order_acquire); }

  Block* find(const BlockKey& key) const;
  // Room for the next block's host code.
  u8* room() { return code_at_; }
  u8* room_end() { return code_.data() + code_.size(); }
  // Space that survives flushes, for stubs; before the first block.
  void set_base(u8* end_of_stubs) { code_base_ = code_at_ = end_of_stubs; }
  // Takes `bytes` of such space; before the first block.
  u8* reserve(u64 bytes) {
    u8* taken = code_base_;
    set_base(code_base_ + align_up(bytes, 64));
    return taken;
  }
  Block* insert(std::unique_ptr<Block> block);
  void link(Block* from, unsigned number, Block* to);
  // Invalidates the blocks made from any byte of [address, address + length); true when there were some.
  bool invalidate(guest::Gpa address, u64 length);
  // The block whose host code has `pc`, valid or not; nullptr when none.
  const Block* block_of(const u8* pc) const;
  void flush();
  // Decoded instructions, shared by all sites with the same bytes. Survive flushes.
  const Insn* intern(const Insn& insn);

  // Whether `pc` is in the executable mapping: stubs, cells or blocks.
  bool contains(const u8* pc) const { return pc >= code_.data() && pc < code_.data() + code_.size(); }

  u64 used_bytes() const { return static_cast<u64>(code_at_ - code_base_); }
  u64 block_count() const { return blocks_.size(); }

 private:
  CodeCache(os::Mapping code, CodePages& pages);
  static constexpr unsigned kHashBits = 16;
  static u64 hash(const BlockKey& key) {
    return ((key.gpa ^ u64{key.mode} << 60) * 0x9E3779B97F4A7C15ULL) >> (64 - kHashBits);
  }
  void unlink(Block* from, unsigned number);
  void drop(Block* block);

  std::mutex mutex_;
  std::atomic<u64> generation_{0};
  os::Mapping code_;
  u8* code_base_;
  u8* code_at_;
  CodePages& pages_;
  std::vector<Block*> table_;
  std::deque<std::unique_ptr<Block>> blocks_;  // in order of host code
  std::map<u64, std::vector<Block*>> by_page_;
  std::map<std::array<u8, 16>, std::unique_ptr<Insn>> insns_;
};

}  // namespace pileus::engine::bt
