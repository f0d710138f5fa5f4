// TranslationFile: a file of translated blocks, mapped read-only (docs/formats/translation-cache.md).
//
//   file   = header slot* entry*
//   header = FileHeader
//   slot   = u64: upper half of an entry's hash << 32 | its offset in the file / 8, or 0; an open hash table whose size is
//            a power of two: the search for a hash begins at slot `hash % size` and ends at a slot that is 0
//   entry  = see entry.h; each begins at a multiple of 8
//
// The checksum is CRC-32C of everything in the header behind it. All numbers are little-endian. A file that has its name
// is never changed: a new one takes its place. What is damaged all the same is noticed when it is read: nothing of the
// mapping is used but copies that were checked.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "engine/bt/stored/entry.h"
#include "engine/bt/stored/fingerprint.h"
#include "os/mapping.h"

namespace pileus::engine::bt::stored {

struct FileHeader {
  std::array<char, 8> magic;
  u32 checksum;
  u32 version;
  u64 file_size;
  u64 slot_count;
  u64 entry_count;
  Fingerprint fingerprint;
};
static_assert(sizeof(FileHeader) == 40 + sizeof(Fingerprint));

inline constexpr std::array<char, 8> kMagic{'P', 'I', 'L', 'E', 'U', 'S', 'T', 'C'};
inline constexpr u32 kVersion = 2;
inline constexpr u64 kMaxFileBytes = 256 * kMiB;

constexpr u64 slot_of(u64 hash, u64 offset) { return hash >> 32 << 32 | offset / 8; }
FileHeader make_header(const Fingerprint& fingerprint, u64 slots, u64 entries, u64 file_size);

class TranslationFile {
 public:
  // kNotFound: there is none. Any other error says why it is not used.
  static Result<std::unique_ptr<TranslationFile>> open(const std::filesystem::path& path, const Fingerprint& wanted);
  // From bytes that are `size` long.
  static Result<std::unique_ptr<TranslationFile>> from(os::Mapping bytes, u64 size, const Fingerprint& wanted);

  u64 entry_count() const { return entry_count_; }
  u64 bytes() const { return size_; }
  // Entries that turned out to be damaged.
  u64 damaged() const { return damaged_; }

  // The entry that fits; good until the next call.
  std::optional<Entry> find(const Wanted& wanted);
  // The entry that was found last is not what it should be: it is not found again.
  void refuse() { note_damaged(last_); }
  // Takes over which entries were found, when `other` is the same file.
  void take_found(const TranslationFile& other) {
    if (other.id_ == id_) found_ = other.found_;
  }
  // All that are whole, in the order of the file: use(entry's bytes, whether it was found since the file was opened).
  template <typename Use>
  void for_each(Use&& use) {
    for (const u64 offset : offsets_in_order()) {
      if (const auto entry = read_entry(offset))
        use(std::span(copy_).first(entry->header.size), found_[line_of(offset)]);
    }
  }

 private:
  TranslationFile(os::Mapping bytes, u64 size, u64 slots, u64 entries);
  u64 slot(u64 index) const;
  std::vector<u64> offsets_in_order() const;
  // An entry, copied to copy_ and checked; nothing when it is damaged.
  std::optional<Entry> read_entry(u64 offset);
  // The same, only if it is the one that is wanted; the run `run` goes on behind it.
  std::optional<Entry> take(u64 offset, const Wanted& wanted, std::size_t run);
  bool has_hash(u64 offset, u64 hash) const;
  void note_damaged(u64 offset);
  // What is known of an entry is found by the 64 bytes that it begins in: it has more than so many.
  static u64 line_of(u64 offset) { return offset / 64; }

  os::Mapping mapping_;
  std::pair<u64, u64> id_;  // device and inode; both 0: no file
  u64 size_;
  u64 slot_count_;
  u64 entry_count_;
  u64 damaged_ = 0;
  u64 last_ = 0;  // offset of the entry that was found last
  // Offsets of what lies behind entries that were found: a run of them in the order of the file each, the latest first.
  static constexpr std::size_t kRuns = 4;
  std::array<u64, kRuns> next_{};
  std::vector<bool> found_;
  std::vector<bool> bad_;
  alignas(8) std::array<u8, kMaxEntry> copy_;
};

}  // namespace pileus::engine::bt::stored
