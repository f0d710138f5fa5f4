#include "engine/bt/stored/journal.h"

#include "os/file.h"

namespace pileus::engine::bt::stored {

void Journal::add(const Wanted& wanted, const Emitted& emitted, const CodeCache& code) {
  if (chunks_.empty() || chunks_.back().memory.size() - chunks_.back().used < kMaxEntry) {
    if ((chunks_.size() + 1) * kChunk > kMaxBytes) return;
    // Of a file, so that it has a name in /proc/PID/smaps.
    const Result<os::Fd> file = os::anonymous_file("pileus-translations", kChunk);
    if (!file) return;
    Result<os::Mapping> memory = os::Mapping::file(file->get(), 0, kChunk, true);
    if (!memory) return;
    chunks_.push_back({std::move(*memory)});
  }
  Chunk& chunk = chunks_.back();
  u8* at = chunk.memory.data() + chunk.used;
  const u32 size = encode_entry(wanted, emitted, code, at);
  if (size == 0) return;
  chunk.used += size;
  bytes_ += size;
  by_hash_.emplace(wanted.hash(), std::span<const u8>(at, size));
}

void Journal::take(Journal& other) {
  if (empty()) {
    std::swap(*this, other);
    return;
  }
  for (Chunk& chunk : other.chunks_) chunks_.push_back(std::move(chunk));
  by_hash_.merge(other.by_hash_);
  bytes_ += other.bytes_;
  other = Journal();
}

std::optional<Entry> Journal::find(const Wanted& wanted) const {
  const auto [begin, end] = by_hash_.equal_range(wanted.hash());
  for (auto at = begin; at != end; ++at) {
    const std::optional<Entry> entry = parse_entry_unchecked(at->second);
    if (entry && entry->fits(wanted)) return entry;
  }
  return std::nullopt;
}

}  // namespace pileus::engine::bt::stored
