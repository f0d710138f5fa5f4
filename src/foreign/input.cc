#include "foreign/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "os/file.h"

namespace pileus::foreign {
namespace {

Error cut_short() { return {ErrorCode::kCorrupt, "the disk's file ends too early: it is cut short or damaged"}; }

bool is_inside(u64 offset, u64 length, u64 size) { return offset <= size && length <= size - offset; }

class FileInput final : public Input {
 public:
  FileInput(os::Fd fd, u64 size) : fd_(std::move(fd)), size_(size) {}
  u64 size() const override { return size_; }

  Result<> read(u64 offset, std::span<u8> out) override {
    if (!is_inside(offset, out.size(), size_)) return cut_short();
    while (!out.empty()) {
      const ssize_t got = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Error::from_errno("read the disk's file");
      if (got == 0) return cut_short();
      offset += static_cast<u64>(got);
      out = out.subspan(static_cast<std::size_t>(got));
    }
    return {};
  }

  u64 next_data(u64 offset) override {
    const off_t found = ::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_DATA);
    if (found >= 0) return static_cast<u64>(found);
    return errno == ENXIO ? size_ : offset;  // else: a file system that does not know
  }

 private:
  const os::Fd fd_;
  const u64 size_;
};

}  // namespace

Result<std::unique_ptr<Input>> open_input(const std::filesystem::path& path) {
  // O_NONBLOCK: a named pipe must not be waited for.
  os::Fd fd = TRY(os::open_file(path, O_RDONLY | O_NONBLOCK));
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return Error::from_errno("look at " + path.string());
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
    return Error(ErrorCode::kInvalid, path.string() + " is neither a file nor a block device");
  }
  const off_t size = ::lseek(fd.get(), 0, SEEK_END);
  if (size < 0) return Error::from_errno("measure " + path.string());
  return std::unique_ptr<Input>(std::make_unique<FileInput>(std::move(fd), static_cast<u64>(size)));
}

Result<> MemoryInput::read(u64 offset, std::span<u8> out) {
  if (!is_inside(offset, out.size(), bytes_.size())) return cut_short();
  std::ranges::copy(bytes_.subspan(offset, out.size()), out.begin());
  return {};
}

}  // namespace pileus::foreign
