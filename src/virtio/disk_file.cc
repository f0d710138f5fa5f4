#include "virtio/disk_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "os/disk_room.h"
#include "os/fd.h"

namespace pileus::virtio {

namespace {

constexpr u64 kZeroBytes = kMiB;

class PosixDiskFile : public DiskFile {
 public:
  PosixDiskFile(os::Fd fd, std::string path, u64 size, bool is_device)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size), is_device_(is_device) {}

  u64 size() const override { return size_; }

  u64 next_data(u64 offset) override {
    const off_t found = ::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_DATA);
    if (found >= 0) return std::min(static_cast<u64>(found), size_);
    return errno == ENXIO ? size_ : offset;  // else: a file system, or a device, that does not know
  }

  Result<> read(u64 offset, std::span<u8> out) override {
    while (!out.empty()) {
      const ssize_t count = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Error::from_errno("read " + path_);
      if (count == 0) return Error(ErrorCode::kIo, "read " + path_ + ": the file is too short");
      offset += static_cast<u64>(count);
      out = out.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }

  Result<> write(u64 offset, std::span<const u8> data) override {
    while (!data.empty()) {
      const ssize_t count = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Error::from_errno("write " + path_);
      offset += static_cast<u64>(count);
      data = data.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }

  Result<> zero(u64 offset, u64 length) override {
    if (length == 0) return {};
    // A hole of a file reads as zero. A device's need not, so that has its own request.
    const int mode = is_device_ ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE;
    if (allocate(mode | FALLOC_FL_KEEP_SIZE, offset, length)) return {};
    return write_zero_bytes(offset, length);
  }

  Result<> discard(u64 offset, u64 length) override {
    if (length == 0) return {};
    if (allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length)) return {};
    return {};  // only a hint: a file system without holes may ignore it
  }

  Result<> check_room(u64 bytes) override {
    if (is_device_) return {};
    const os::DiskRoom room = TRY(os::disk_room(fd_.get()));
    if (room.total == 0 || room.free >= os::kept_room(room) + bytes) return {};
    return Error(ErrorCode::kExhausted, "write " + path_ + ": the last " + std::to_string(room.free / kMiB) +
                                            " MiB of its file system are kept for the host");
  }

  Result<> sync() override {
    if (::fdatasync(fd_.get()) != 0) return Error::from_errno("flush " + path_);
    return {};
  }

  Result<> share() override {
    if (::flock(fd_.get(), LOCK_SH | LOCK_NB) != 0) return Error::from_errno("share disk " + path_);
    return {};
  }

 private:
  bool allocate(int mode, u64 offset, u64 length) const {
    return ::fallocate(fd_.get(), mode, static_cast<off_t>(offset), static_cast<off_t>(length)) == 0;
  }

  Result<> write_zero_bytes(u64 offset, u64 length) {
    const std::vector<u8> zeroes(std::min(length, kZeroBytes));
    while (length > 0) {
      const u64 piece = std::min<u64>(length, zeroes.size());
      TRY(write(offset, std::span<const u8>(zeroes).first(piece)));
      offset += piece;
      length -= piece;
    }
    return {};
  }

  os::Fd fd_;
  std::string path_;
  u64 size_;
  bool is_device_;
};

}  // namespace

Result<std::unique_ptr<DiskFile>> open_disk_file(const std::string& path, Access access) {
  const bool writable = access == Access::kReadWrite;
  os::Fd fd(::open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC));
  if (!fd.valid()) return Error::from_errno("open disk " + path);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return Error::from_errno("open disk " + path);
  const bool is_device = S_ISBLK(status.st_mode);
  if (!is_device && !S_ISREG(status.st_mode)) {
    return Error(ErrorCode::kInvalid, "disk " + path + " is neither a file nor a block device");
  }
  if (::flock(fd.get(), (writable ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Error::from_errno("lock disk " + path);
    return Error(ErrorCode::kBusy, "disk " + path +
                                       " is in use by another virtual machine; stop that one first "
                                       "or give this one a disk of its own");
  }
  u64 size = static_cast<u64>(status.st_size);
  if (is_device && ::ioctl(fd.get(), BLKGETSIZE64, &size) != 0) {
    return Error::from_errno("find the size of disk " + path);
  }
  return std::unique_ptr<DiskFile>(std::make_unique<PosixDiskFile>(std::move(fd), path, size, is_device));
}

}  // namespace pileus::virtio
