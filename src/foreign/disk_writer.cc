#include "foreign/disk_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include "foreign/internal/writers.h"
#include "os/file.h"

namespace pileus::foreign {
namespace {

Result<> write_into(DiskReader& disk, Format format, int fd, const std::string& name, const Progress& progress) {
  switch (format) {
    case Format::kRaw: TRY(write_raw(disk, fd, progress)); break;
    case Format::kVmdk: TRY(write_vmdk(disk, fd, name, progress)); break;
    case Format::kVhd: TRY(write_vhd(disk, fd, progress)); break;
    case Format::kQcow2: return Error(ErrorCode::kUnsupported, "disks are not written as qcow2");
  }
  if (::fsync(fd) != 0) return Error::from_errno("write " + name);
  return {};
}

}  // namespace

bool can_write(Format format) { return format != Format::kQcow2; }

Result<> write_disk(DiskReader& disk, Format format, const std::filesystem::path& path, const Progress& progress) {
  const os::Fd fd = TRY(os::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  Result<> written = write_into(disk, format, fd.get(), path.filename().string(), progress);
  if (!written) static_cast<void>(os::remove_all(path));  // the first failure is the one to be told
  return written;
}

Result<> write_at(int fd, u64 offset, std::span<const u8> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return Error::from_errno("write a disk's file");
    offset += static_cast<u64>(done);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
  return {};
}

}  // namespace pileus::foreign
