// The overlay file, all numbers little-endian:
//
//   file    := header(4096) bitmap(padded with zeroes to 64 KiB from the start) clusters
//   header  := magic(8) version:u32 cluster_size:u32 base_size:u64 virtual_size:u64
//              data_offset:u64 checksum:u32 zeroes
//   bitmap  := one bit for each cluster, bit n in byte n / 8, value 1 << n % 8;
//              set: the cluster is in this file, clear: it is the base's
//   clusters:= cluster(65536) for each cluster of the disk, at data_offset + n * 65536
//
// The file has its full length from the start and is sparse, so that a cluster's place is known
// without a table that could be damaged.
//
// Invariants:
//  1. A bit is set in the file only after all bytes of its cluster were synced: flush() syncs the
//     clusters, then writes the bits, then syncs these.
//  2. A bit that is set in the file is never cleared.
//  3. The header is written once, by create(), before the file gets its name.
#include "virtio/overlay.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#include "base/log.h"
#include "os/directory.h"
#include "os/fd.h"

namespace pileus::virtio {

namespace {

constexpr std::array<char, 8> kMagic = {'P', 'I', 'L', 'E', 'U', 'S', 'O', 'V'};
constexpr u32 kVersion = 1;
constexpr u64 kHeaderBytes = 4096;
constexpr u64 kSector = 512;
constexpr u64 kPage = 4096;                    // unit in which the bitmap is written
constexpr u64 kMaxVirtualSize = u64{1} << 46;  // 64 TiB: a bitmap of 128 MiB

struct Header {
  std::array<char, 8> magic;
  u32 version;
  u32 cluster_size;
  u64 base_size;
  u64 virtual_size;
  u64 data_offset;
  u32 checksum;  // FNV-1a of all bytes before it
  u32 zero;
};
static_assert(sizeof(Header) == 48 && offsetof(Header, checksum) == 40);

u64 clusters_of(u64 virtual_size) { return align_up(virtual_size, Overlay::kClusterSize) / Overlay::kClusterSize; }
u64 bitmap_bytes(u64 virtual_size) { return align_up(clusters_of(virtual_size), 8) / 8; }
u64 data_offset_of(u64 virtual_size) {
  return align_up(kHeaderBytes + bitmap_bytes(virtual_size), Overlay::kClusterSize);
}
u64 file_size_of(u64 virtual_size) {
  return data_offset_of(virtual_size) + clusters_of(virtual_size) * Overlay::kClusterSize;
}

u32 checksum_of(const Header& header) {
  std::array<u8, offsetof(Header, checksum)> bytes;
  std::memcpy(bytes.data(), &header, bytes.size());
  u32 hash = 0x811C9DC5;
  for (const u8 byte : bytes) hash = (hash ^ byte) * 0x01000193;
  return hash;
}

Header make_header(u64 base_size, u64 virtual_size) {
  Header header{kMagic, kVersion, Overlay::kClusterSize, base_size, virtual_size, data_offset_of(virtual_size), 0, 0};
  header.checksum = checksum_of(header);
  return header;
}

Error corrupt(const std::string& path, const std::string& why) {
  return {ErrorCode::kCorrupt, "overlay " + path + " " + why};
}

Result<Header> check_header(const std::array<u8, sizeof(Header)>& bytes, u64 file_size, const std::string& path) {
  const auto header = std::bit_cast<Header>(bytes);
  if (header.magic != kMagic) return corrupt(path, "is not an overlay");
  if (header.checksum != checksum_of(header)) return corrupt(path, "has a damaged header");
  if (header.version != kVersion || header.cluster_size != Overlay::kClusterSize) {
    return Error(ErrorCode::kUnsupported,
                 "overlay " + path + " was made by a version of Pileus that this one cannot read");
  }
  const u64 size = header.virtual_size;
  if (size == 0 || size > kMaxVirtualSize || size % kSector != 0 || size < header.base_size ||
      header.data_offset != data_offset_of(size)) {
    return corrupt(path, "has a header that contradicts itself");
  }
  if (file_size != file_size_of(size)) {
    return corrupt(path, "is not complete: it has " + std::to_string(file_size) + " bytes of " +
                             std::to_string(file_size_of(size)));
  }
  return header;
}

Result<Header> read_header(DiskFile& file, const std::string& path) {
  std::array<u8, sizeof(Header)> bytes;
  if (file.size() < kHeaderBytes) return corrupt(path, "is too short to be one");
  TRY(file.read(0, bytes));
  return check_header(bytes, file.size(), path);
}

Result<> write_new_file(const std::string& path, const Header& header) {
  const os::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid()) return Error::from_errno("create " + path);
  if (::ftruncate(fd.get(), static_cast<off_t>(file_size_of(header.virtual_size))) != 0 ||
      ::pwrite(fd.get(), &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header) || ::fsync(fd.get()) != 0) {
    return Error::from_errno("create " + path);
  }
  return {};
}

}  // namespace

Result<> Overlay::create(const std::string& path, u64 base_size, u64 virtual_size) {
  if (virtual_size == 0 || virtual_size < base_size || virtual_size > kMaxVirtualSize - kSector) {
    return Error(ErrorCode::kInvalid, "a disk of " + std::to_string(virtual_size) +
                                          " bytes cannot be made on an image of " + std::to_string(base_size));
  }
  const Header header = make_header(base_size, align_up(virtual_size, kSector));
  const std::string partial = path + ".new." + std::to_string(::getpid());
  Result<> done = write_new_file(partial, header);
  // link() and not rename(): it refuses to replace a disk that exists.
  if (done.ok() && ::link(partial.c_str(), path.c_str()) != 0) {
    done = Error::from_errno("create overlay " + path);
  }
  ::unlink(partial.c_str());
  if (!done.ok()) return done;
  const auto slash = path.rfind('/');
  return os::sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

Result<std::unique_ptr<Overlay>> Overlay::open(const std::string& path, std::shared_ptr<BlockBackend> base,
                                               Access access) {
  std::unique_ptr<DiskFile> file = TRY(open_disk_file(path, access));
  return open(std::move(file), path, std::move(base), access);
}

Result<Overlay::Sizes> Overlay::sizes_of(const std::string& path) {
  const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return Error::from_errno("open overlay " + path);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return Error::from_errno("open overlay " + path);
  std::array<u8, sizeof(Header)> bytes;
  if (::pread(fd.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return corrupt(path, "is too short to be one");
  }
  const Header header = TRY(check_header(bytes, static_cast<u64>(status.st_size), path));
  return Sizes{header.base_size, header.virtual_size};
}

Result<std::unique_ptr<Overlay>> Overlay::open(std::unique_ptr<DiskFile> file, const std::string& path,
                                               std::shared_ptr<BlockBackend> base, Access access) {
  const Header header = TRY(read_header(*file, path));
  if (header.base_size != base->size()) {
    return Error(ErrorCode::kInvalid, "overlay " + path + " was made for an image of " +
                                          std::to_string(header.base_size) + " bytes, not of " +
                                          std::to_string(base->size()));
  }
  std::vector<u8> bitmap(bitmap_bytes(header.virtual_size));
  TRY(file->read(kHeaderBytes, bitmap));
  return std::unique_ptr<Overlay>(new Overlay(std::move(file), std::move(base), header.virtual_size, std::move(bitmap),
                                              access == Access::kReadOnly));
}

Overlay::Overlay(std::unique_ptr<DiskFile> file, std::shared_ptr<BlockBackend> base, u64 virtual_size,
                 std::vector<u8> bitmap, bool frozen)
    : file_(std::move(file)),
      base_(std::move(base)),
      virtual_size_(virtual_size),
      data_offset_(data_offset_of(virtual_size)),
      bitmap_(std::move(bitmap)),
      stale_pages_(align_up(bitmap_.size(), kPage) / kPage),
      frozen_(frozen),
      scratch_(frozen ? 0 : kClusterSize) {}

Overlay::~Overlay() {
  const Result<> flushed = flush();
  if (!flushed.ok()) log::error("a disk lost its last writes: {}", flushed.error().message());
}

bool Overlay::changed(u64 cluster) const { return (bitmap_[cluster / 8] & (1U << (cluster % 8))) != 0; }

void Overlay::mark_changed(u64 cluster) {
  bitmap_[cluster / 8] = static_cast<u8>(bitmap_[cluster / 8] | (1U << (cluster % 8)));
  stale_pages_[cluster / 8 / kPage] = true;
  any_stale_ = true;
}

u64 Overlay::changed_clusters() const {
  u64 count = 0;
  for (const u8 byte : bitmap_) count += static_cast<u64>(std::popcount(byte));
  return count;
}

u64 Overlay::position(u64 cluster, u64 within) const { return data_offset_ + cluster * kClusterSize + within; }

namespace {

// Calls visit(cluster, offset within it, offset within the range, length) for every piece.
template <typename Visit>
Result<> for_each_cluster(u64 offset, u64 length, Visit&& visit) {
  for (u64 done = 0; done < length;) {
    const u64 at = offset + done;
    const u64 within = at % Overlay::kClusterSize;
    const u64 piece = std::min(length - done, Overlay::kClusterSize - within);
    TRY(visit(at / Overlay::kClusterSize, within, done, piece));
    done += piece;
  }
  return {};
}

}  // namespace

// Bytes of the base, zero beyond its end.
Result<> Overlay::read_base(u64 offset, std::span<u8> out) {
  const u64 size = base_->size();
  const u64 present = offset < size ? std::min<u64>(out.size(), size - offset) : 0;
  if (present > 0) TRY(base_->read(offset, out.first(present)));
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(present), out.end(), u8{0});
  return {};
}

Result<> Overlay::read(u64 offset, std::span<u8> out) {
  TRY(check_range(offset, out.size(), virtual_size_));
  return for_each_cluster(offset, out.size(), [&](u64 cluster, u64 within, u64 done, u64 length) -> Result<> {
    const std::span<u8> piece = out.subspan(done, length);
    if (changed(cluster)) return file_->read(position(cluster, within), piece);
    return read_base(cluster * kClusterSize + within, piece);
  });
}

Result<> Overlay::copy_up(u64 cluster, u64 within, std::span<const u8> data) {
  TRY(file_->check_room(kClusterSize));
  TRY(read_base(cluster * kClusterSize, scratch_));
  std::copy(data.begin(), data.end(), scratch_.begin() + static_cast<std::ptrdiff_t>(within));
  TRY(file_->write(position(cluster, 0), scratch_));
  mark_changed(cluster);
  return {};
}

Result<> Overlay::write_piece(u64 cluster, u64 within, std::span<const u8> data) {
  if (changed(cluster)) return file_->write(position(cluster, within), data);
  if (data.size() < kClusterSize) return copy_up(cluster, within, data);
  TRY(file_->check_room(kClusterSize));
  TRY(file_->write(position(cluster, 0), data));
  mark_changed(cluster);
  return {};
}

Result<> Overlay::check_write(u64 offset, u64 length) const {
  if (frozen_) return Error(ErrorCode::kPermission, "the overlay is frozen");
  return check_range(offset, length, virtual_size_);
}

Result<> Overlay::write(u64 offset, std::span<const u8> data) {
  TRY(check_write(offset, data.size()));
  return for_each_cluster(offset, data.size(), [&](u64 cluster, u64 within, u64 done, u64 length) -> Result<> {
    return write_piece(cluster, within, data.subspan(done, length));
  });
}

Result<> Overlay::zero_piece(u64 cluster, u64 within, u64 length) {
  if (changed(cluster)) return file_->zero(position(cluster, within), length);
  if (cluster * kClusterSize >= base_->size()) return {};  // reads as zero already
  if (length < kClusterSize) {
    const std::vector<u8> zeroes(length);
    return copy_up(cluster, within, zeroes);
  }
  TRY(file_->zero(position(cluster, 0), kClusterSize));
  mark_changed(cluster);
  return {};
}

Result<> Overlay::write_zeroes(u64 offset, u64 length) {
  TRY(check_write(offset, length));
  return for_each_cluster(offset, length, [&](u64 cluster, u64 within, u64, u64 piece) -> Result<> {
    return zero_piece(cluster, within, piece);
  });
}

Result<> Overlay::discard(u64 offset, u64 length) {
  TRY(check_write(offset, length));
  return for_each_cluster(offset, length, [&](u64 cluster, u64 within, u64, u64 piece) -> Result<> {
    if (!changed(cluster)) return {};
    return file_->discard(position(cluster, within), piece);
  });
}

Result<> Overlay::freeze() {
  TRY(flush());
  frozen_ = true;
  return file_->share();
}

Result<> Overlay::flush() {
  if (frozen_) return {};
  TRY(file_->sync());
  if (!any_stale_) return {};
  for (std::size_t page = 0; page < stale_pages_.size(); ++page) {
    if (!stale_pages_[page]) continue;
    const u64 start = page * kPage;
    const u64 length = std::min<u64>(kPage, bitmap_.size() - start);
    TRY(file_->write(kHeaderBytes + start, std::span<const u8>(bitmap_).subspan(start, length)));
  }
  TRY(file_->sync());
  // Only now: after a failure the next flush writes the bits again.
  stale_pages_.assign(stale_pages_.size(), false);
  any_stale_ = false;
  return {};
}

}  // namespace pileus::virtio
