#include "engine/bt/stored/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/bt/stored/guarded_copy.h"
#include "os/file.h"

namespace pileus::engine::bt::stored {

namespace {

u32 header_checksum(const FileHeader& header) {
  const u64 behind = offsetof(FileHeader, checksum) + sizeof header.checksum;
  return checksum_of({reinterpret_cast<const u8*>(&header) + behind, sizeof header - behind});
}

// What the owner alone could have written.
Result<> check_owner(const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return Error(ErrorCode::kInvalid, "it is no file");
  if (status.st_uid != ::geteuid()) return Error(ErrorCode::kInvalid, "it belongs to another user");
  if ((status.st_mode & 0077) != 0) return Error(ErrorCode::kInvalid, "others may read or write it: chmod 600");
  return {};
}

}  // namespace

FileHeader make_header(const Fingerprint& fingerprint, u64 slots, u64 entries, u64 file_size) {
  FileHeader header{.magic = kMagic,
                    .checksum = 0,
                    .version = kVersion,
                    .file_size = file_size,
                    .slot_count = slots,
                    .entry_count = entries,
                    .fingerprint = fingerprint};
  header.checksum = header_checksum(header);
  return header;
}

TranslationFile::TranslationFile(os::Mapping bytes, u64 size, u64 slots, u64 entries)
    : mapping_(std::move(bytes)),
      size_(size),
      slot_count_(slots),
      entry_count_(entries),
      found_(line_of(size) + 1),
      bad_(found_.size()) {}

Result<std::unique_ptr<TranslationFile>> TranslationFile::open(const std::filesystem::path& path,
                                                               const Fingerprint& wanted) {
  const os::Fd fd = TRY(os::open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return Error::from_errno("fstat");
  TRY(check_owner(status));
  const auto size = static_cast<u64>(status.st_size);
  if (size < sizeof(FileHeader) || size > kMaxFileBytes) return Error(ErrorCode::kInvalid, "it is damaged");
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_WILLNEED);
  os::Mapping mapping = TRY(os::Mapping::file(fd.get(), 0, size, false));
  std::unique_ptr<TranslationFile> file = TRY(from(std::move(mapping), size, wanted));
  file->id_ = {status.st_dev, status.st_ino};
  return file;
}

Result<std::unique_ptr<TranslationFile>> TranslationFile::from(os::Mapping bytes, u64 size, const Fingerprint& wanted) {
  const Error damaged(ErrorCode::kInvalid, "it is damaged");
  FileHeader header;
  if (size < sizeof header || !guarded_copy(reinterpret_cast<u8*>(&header), bytes.data(), sizeof header))
    return damaged;
  if (header.magic != kMagic || header.checksum != header_checksum(header)) return damaged;
  if (header.version != kVersion) return Error(ErrorCode::kInvalid, "it is of another version of the format");
  if (header.fingerprint != wanted)
    return Error(ErrorCode::kUnsupported, "it was made by another version of Pileus, or for another processor");
  if (header.file_size != size || !std::has_single_bit(header.slot_count) ||
      header.slot_count > (size - sizeof header) / sizeof(u64)) {
    return damaged;
  }
  return std::unique_ptr<TranslationFile>(
      new TranslationFile(std::move(bytes), size, header.slot_count, header.entry_count));
}

u64 TranslationFile::slot(u64 index) const {
  u64 value = 0;
  const u8* at = mapping_.data() + sizeof(FileHeader) + index * sizeof value;
  return guarded_copy(reinterpret_cast<u8*>(&value), at, sizeof value) ? value : 0;
}

std::optional<Entry> TranslationFile::read_entry(u64 offset) {
  const u64 first = sizeof(FileHeader) + slot_count_ * sizeof(u64);
  if (offset < first || offset > size_ - std::min<u64>(size_, sizeof(EntryHeader))) return std::nullopt;
  EntryHeader header;
  bool read = guarded_copy(copy_.data(), mapping_.data() + offset, sizeof header);
  std::memcpy(&header, copy_.data(), sizeof header);
  const u64 room = std::min<u64>(copy_.size(), size_ - offset);
  if (read && header.size > sizeof header && header.size <= room) {
    read = guarded_copy(copy_.data() + sizeof header, mapping_.data() + offset + sizeof header,
                        header.size - sizeof header);
  }
  std::optional<Entry> entry;
  if (read) entry = parse_entry({copy_.data(), room});
  if (!entry) note_damaged(offset);
  return entry;
}

std::optional<Entry> TranslationFile::take(u64 offset, const Wanted& wanted, std::size_t run) {
  const std::optional<Entry> entry = read_entry(offset);
  if (!entry || !entry->fits(wanted)) return std::nullopt;
  found_[line_of(offset)] = true;
  last_ = offset;
  std::rotate(next_.begin(), next_.begin() + static_cast<std::ptrdiff_t>(run),
              next_.begin() + static_cast<std::ptrdiff_t>(run) + 1);
  next_[0] = offset + entry->header.size;
  // What lies there is most likely wanted next. Nothing happens where it is not in memory.
  constexpr u64 kLine = 64, kMost = 512;
  for (u64 at = next_[0]; at < std::min(next_[0] + kMost, size_); at += kLine) __builtin_prefetch(mapping_.data() + at);
  return entry;
}

bool TranslationFile::has_hash(u64 offset, u64 hash) const {
  if (offset == 0 || offset > size_ - sizeof(EntryHeader) || bad_[line_of(offset)]) return false;
  u64 there = 0;
  const u8* at = mapping_.data() + offset + offsetof(EntryHeader, hash);
  return guarded_copy(reinterpret_cast<u8*>(&there), at, sizeof there) && there == hash;
}

void TranslationFile::note_damaged(u64 offset) {
  if (!bad_[line_of(offset)]) ++damaged_;
  bad_[line_of(offset)] = true;
}

std::optional<Entry> TranslationFile::find(const Wanted& wanted) {
  constexpr u64 kMostTries = 64;
  const u64 hash = wanted.hash();
  // Blocks lie in the order in which they were first asked for. Asked for again, they come in a few such runs that take
  // turns, since what a block leads to is asked for with it: seven of ten are behind one of the last four. There the
  // processor has fetched what it takes already, while the table is one more place that it has not.
  for (std::size_t run = 0; run < kRuns; ++run) {
    if (!has_hash(next_[run], hash)) continue;
    if (std::optional<Entry> entry = take(next_[run], wanted, run)) return entry;
  }
  for (u64 tries = 0; tries < std::min(kMostTries, slot_count_); ++tries) {
    const u64 value = slot((hash + tries) & (slot_count_ - 1));
    if (value == 0) break;
    const u64 offset = (value & 0xFFFFFFFF) * 8;
    if (value >> 32 != hash >> 32 || offset >= size_ || bad_[line_of(offset)]) continue;
    if (std::optional<Entry> entry = take(offset, wanted, kRuns - 1)) return entry;
  }
  return std::nullopt;
}

std::vector<u64> TranslationFile::offsets_in_order() const {
  std::vector<u64> offsets;
  offsets.reserve(std::min(entry_count_, slot_count_));
  for (u64 i = 0; i < slot_count_; ++i) {
    const u64 offset = (slot(i) & 0xFFFFFFFF) * 8;
    if (offset != 0 && offset < size_ && !bad_[line_of(offset)]) offsets.push_back(offset);
  }
  std::sort(offsets.begin(), offsets.end());
  offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
  return offsets;
}

}  // namespace pileus::engine::bt::stored
