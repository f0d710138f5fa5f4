// Journal: entries of blocks that were translated since the file was written, in memory.
//
// Taking one on allocates at most once per kChunk, so that it costs the vCPU little more than a copy. Guarded by its owner.
#pragma once

#include <optional>
#include <vector>

#include "base/cast.h"
#include "engine/bt/stored/entry.h"
#include "os/mapping.h"

namespace pileus::engine::bt::stored {

class Journal {
 public:
  static constexpr u64 kMaxBytes = 96 * kMiB;  // of memory

  // Takes on a block; nothing happens when it cannot be kept, or there is no more room.
  void add(const Wanted& wanted, const Emitted& emitted, const CodeCache& code);
  // The entry that fits, which stays until the journal is cleared.
  std::optional<Entry> find(const Wanted& wanted) const;

  // Takes over what `other` has, which is empty then.
  void take(Journal& other);

  bool empty() const { return bytes_ == 0; }
  u64 bytes() const { return bytes_; }
  // In the order in which they came: use(entry's bytes).
  template <typename Use>
  void for_each(Use&& use) const {
    for (const Chunk& chunk : chunks_) {
      for (u64 at = 0; at < chunk.used;) {
        const auto* header = static_cast<const EntryHeader*>(static_cast<const void*>(chunk.memory.data() + at));
        use(std::span<const u8>(chunk.memory.data() + at, header->size));
        at += header->size;
      }
    }
  }

 private:
  static constexpr u64 kChunk = 4 * kMiB;
  struct Chunk {
    os::Mapping memory;
    u64 used = 0;
  };
  const EntryHeader* header_at(u64 position) const;
  u64* slots() const { return cast_aligned<u64>(slots_->data()); }
  u64 slot_count() const { return slots_ ? slots_->size() / sizeof(u64) : 0; }
  // Room for so many entries in the table; false: there is no memory for that.
  bool make_room(u64 entries);
  void index(u64 hash, u64 position);
  void index_all_from(std::size_t chunk);

  std::vector<Chunk> chunks_;
  // Open addressing by hash: its upper half, then 1 + the entry's place, counted through all chunks; 0 where there is none.
  // Most lookups find nothing, and should not cost more than one miss of the processor's caches.
  std::optional<os::Mapping> slots_;
  u64 entries_ = 0;
  u64 bytes_ = 0;
};

}  // namespace pileus::engine::bt::stored
