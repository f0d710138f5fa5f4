#include "engine/bt/stored/journal.h"

#include <algorithm>

#include "os/file.h"

namespace pileus::engine::bt::stored {

namespace {
constexpr u64 kFirstSlots = u64{1} << 15;  // enough for a boot with a file; one without makes them 16 times as many

// Of a file, so that it has a name in /proc/PID/smaps.
Result<os::Mapping> memory_of(u64 bytes) {
  const os::Fd file = TRY(os::anonymous_file("pileus-translations", bytes));
  return os::Mapping::file(file.get(), 0, bytes, true);
}
}  // namespace

const EntryHeader* Journal::header_at(u64 position) const {
  return static_cast<const EntryHeader*>(
      static_cast<const void*>(chunks_[position / kChunk].memory.data() + position % kChunk));
}

bool Journal::make_room(u64 entries) {
  u64 size = std::max(slot_count(), kFirstSlots);
  while (entries > size / 4 * 3) size *= 2;
  if (size == slot_count()) return true;
  Result<os::Mapping> memory = memory_of(size * sizeof(u64));
  if (!memory) return false;
  slots_.emplace(std::move(*memory));
  entries_ = 0;
  index_all_from(0);
  return true;
}

void Journal::index(u64 hash, u64 position) {
  const u64 mask = slot_count() - 1;
  u64 slot = hash & mask;
  while (slots()[slot] != 0) slot = (slot + 1) & mask;
  slots()[slot] = hash >> 32 << 32 | (position + 1);
  ++entries_;
}

void Journal::index_all_from(std::size_t chunk) {
  for (; chunk < chunks_.size(); ++chunk) {
    for (u64 at = 0; at < chunks_[chunk].used;) {
      const EntryHeader* header = header_at(chunk * kChunk + at);
      index(header->hash, chunk * kChunk + at);
      at += header->size;
    }
  }
}

void Journal::add(const Wanted& wanted, const Emitted& emitted, const CodeCache& code) {
  if (chunks_.empty() || chunks_.back().memory.size() - chunks_.back().used < kMaxEntry) {
    if ((chunks_.size() + 1) * kChunk + slot_count() * sizeof(u64) > kMaxBytes) return;
    Result<os::Mapping> memory = memory_of(kChunk);
    if (!memory) return;
    chunks_.push_back({std::move(*memory)});
  }
  Chunk& chunk = chunks_.back();
  u8* at = chunk.memory.data() + chunk.used;
  const u32 size = encode_entry(wanted, emitted, code, at);
  if (size == 0 || !make_room(entries_ + 1)) return;
  chunk.used += size;
  bytes_ += size;
  index(wanted.hash(), (chunks_.size() - 1) * kChunk + static_cast<u64>(at - chunk.memory.data()));
}

void Journal::take(Journal& other) {
  if (empty()) {
    std::swap(*this, other);
    return;
  }
  if (!make_room(entries_ + other.entries_)) return;
  const std::size_t first = chunks_.size();
  for (Chunk& chunk : other.chunks_) chunks_.push_back(std::move(chunk));
  index_all_from(first);
  bytes_ += other.bytes_;
  other = Journal();
}

std::optional<Entry> Journal::find(const Wanted& wanted) const {
  if (!slots_) return std::nullopt;
  const u64 hash = wanted.hash();
  const u64 mask = slot_count() - 1;
  for (u64 slot = hash & mask; slots()[slot] != 0; slot = (slot + 1) & mask) {
    if ((slots()[slot] ^ hash) >> 32 != 0) continue;
    const EntryHeader* header = header_at((slots()[slot] & 0xFFFFFFFF) - 1);
    const std::span<const u8> bytes(static_cast<const u8*>(static_cast<const void*>(header)), header->size);
    const std::optional<Entry> entry = parse_entry_unchecked(bytes);
    if (entry && entry->fits(wanted)) return entry;
  }
  return std::nullopt;
}

}  // namespace pileus::engine::bt::stored
