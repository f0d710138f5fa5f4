#include "engine/bt/stored/file_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cstring>

#include "os/file.h"

namespace pileus::engine::bt::stored {

namespace {
constexpr std::size_t kBuffer = 1 * kMiB;
}

Result<FileWriter> FileWriter::create(const std::filesystem::path& path, u64 max_entries) {
  std::string temporary = path.string() + ".new";
  os::Fd fd = TRY(os::open_file(temporary, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
  return FileWriter(path, std::move(temporary), std::move(fd), std::bit_ceil(max_entries * 2 + 1));
}

FileWriter::FileWriter(std::filesystem::path path, std::string temporary, os::Fd fd, u64 slots)
    : path_(std::move(path)),
      temporary_(std::move(temporary)),
      fd_(std::move(fd)),
      slots_(slots),
      end_(sizeof(FileHeader) + slots * sizeof(u64)) {
  ::lseek(fd_.get(), static_cast<off_t>(end_), SEEK_SET);
}

FileWriter::~FileWriter() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<> FileWriter::add(std::span<const u8> entry, u64 limit) {
  EntryHeader header;
  std::memcpy(&header, entry.data(), sizeof header);
  if (end_ + entry.size() > limit || known_.size() * 2 >= slots_.size()) return {};
  // What is made of the same bytes is the same to the last bit.
  if (!known_.insert(header.hash ^ u64{header.checksum} << 32).second) return {};
  u64 slot = header.hash & (slots_.size() - 1);
  while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = slot_of(header.hash, end_);
  buffer_.append(reinterpret_cast<const char*>(entry.data()), entry.size());
  end_ += entry.size();
  return buffer_.size() < kBuffer ? Result<>() : flush();
}

Result<> FileWriter::flush() {
  const Result<> done = os::write_all(fd_.get(), buffer_);
  buffer_.clear();
  return done;
}

Result<> FileWriter::finish(const Fingerprint& fingerprint) {
  TRY(flush());
  const FileHeader header = make_header(fingerprint, slots_.size(), known_.size(), end_);
  ::lseek(fd_.get(), 0, SEEK_SET);
  TRY(os::write_all(fd_.get(), {reinterpret_cast<const char*>(&header), sizeof header}));
  TRY(os::write_all(fd_.get(), {reinterpret_cast<const char*>(slots_.data()), slots_.size() * sizeof(u64)}));
  TRY(os::rename(temporary_, path_));
  temporary_.clear();
  return {};
}

}  // namespace pileus::engine::bt::stored
