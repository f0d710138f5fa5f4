#include "vmm/disks.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string_view>

#include "os/file.h"
#include "virtio/overlay.h"
#include "virtio/raw_file.h"

namespace pileus::vmm {
namespace {

using namespace std::string_view_literals;

// The first bytes by which files that are not raw disks are known.
struct Magic {
  u64 offset;
  std::string_view bytes;
  const char* format;
  bool is_disk;  // a disk in another format: can be converted
};
constexpr std::array kMagics = {
    Magic{0, "QFI\xfb"sv, "a qcow2 disk", true},
    Magic{0, "KDMV"sv, "a VMDK disk", true},
    Magic{0, "# Disk DescriptorFile"sv, "a VMDK descriptor", true},
    Magic{0, "vhdxfile"sv, "a VHDX disk", true},
    Magic{0, "conectix"sv, "a VHD disk", true},
    Magic{64, "\x7f\x10\xda\xbe"sv, "a VDI disk", true},
    Magic{0, "\x1f\x8b"sv, "gzip-compressed", false},
    Magic{0,
          "\xfd"
          "7zXZ\0"sv,
          "xz-compressed", false},
    Magic{0, "\x28\xb5\x2f\xfd"sv, "zstd-compressed", false},
    Magic{0, "PK\x03\x04"sv, "a zip archive", false},
    Magic{0,
          "\x7f"
          "ELF"sv,
          "a program or kernel", false},
    Magic{0x202, "HdrS"sv, "a Linux kernel", false},
};
constexpr u64 kSector = 512;
constexpr u64 kProbeBytes = 1024;

Error foreign(const std::string& path, const Magic& magic) {
  const std::string what = path + " is " + magic.format;
  if (magic.is_disk) {
    return Error(ErrorCode::kUnsupported,
                 what + ", and only raw disks run: convert it with `qemu-img convert -O raw " + path + " disk.raw`");
  }
  return Error(ErrorCode::kInvalid, what + ", not a raw disk image: unpack it, or name the disk inside");
}

Result<u64> disk_size(const std::string& path, int fd) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) return Error::from_errno("look at " + path);
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
    return Error(ErrorCode::kInvalid, path + " is not a disk image but a folder or a device of another kind");
  }
  const off_t end = ::lseek(fd, 0, SEEK_END);
  if (end < 0) return Error::from_errno("look at " + path);
  return static_cast<u64>(end);
}

}  // namespace

Result<u64> probe_base_disk(const std::string& path) {
  const os::Fd file = TRY(os::open_file(path, O_RDONLY));
  const u64 size = TRY(disk_size(path, file.get()));
  std::array<char, kProbeBytes> head = {};
  const ssize_t got = ::pread(file.get(), head.data(), head.size(), 0);
  if (got < 0) return Error::from_errno("read " + path);
  const std::string_view start(head.data(), static_cast<std::size_t>(got));
  for (const Magic& magic : kMagics) {
    if (start.size() >= magic.offset && start.substr(magic.offset).starts_with(magic.bytes)) {
      return foreign(path, magic);
    }
  }
  if (size == 0 || size % kSector != 0) {
    return Error(ErrorCode::kInvalid, path + " is no whole disk image: its " + std::to_string(size) +
                                          " bytes are not a number of 512-byte sectors, as if it were cut short");
  }
  return size;
}

// ECMA-119, 8.1 and 8.2; El Torito 1.0, figure 7: the volume descriptors begin with sector 16, and the second one names the
// boot catalog.
bool needs_cd_drive(const std::string& path) {
  constexpr u64 kCdSector = 2048, kPrimary = 16 * kCdSector, kBootRecord = 17 * kCdSector;
  constexpr u64 kBootSignature = 510;
  const Result<os::Fd> file = os::open_file(path, O_RDONLY);
  if (!file) return false;
  const auto has = [&](u64 offset, std::string_view wanted) {
    std::string found(wanted.size(), 0);
    const ssize_t got = ::pread(file->get(), found.data(), found.size(), static_cast<off_t>(offset));
    return got == static_cast<ssize_t>(wanted.size()) && found == wanted;
  };
  return has(kPrimary, "\1CD001\1"sv) && has(kBootRecord, "\0CD001\1EL TORITO SPECIFICATION"sv) &&
         !has(kBootSignature, "\x55\xaa"sv);
}

Result<std::unique_ptr<virtio::BlockBackend>> open_cd(const std::string& path) {
  return std::unique_ptr<virtio::BlockBackend>(TRY(virtio::RawFile::open(path, virtio::Access::kReadOnly)));
}

Result<> create_overlay(const VmDirectory& directory, const VmConfig& config) {
  const u64 base = TRY(probe_base_disk(config.base_disk));
  if (config.disk_bytes < base) {
    return Error(ErrorCode::kInvalid, "the disk cannot be smaller than the " + format_size(base) +
                                          " of what it is based on: choose a larger --disk-size");
  }
  return virtio::Overlay::create(directory.overlay(), base, config.disk_bytes);
}

store::DiskFolder own_disk(const VmDirectory& directory, const VmConfig& config) {
  if (!config.disk_folder.empty()) return store::DiskFolder(config.disk_folder);
  store::Chain implied{
      .layers = {{.file = config.base_disk, .raw = true}}, .top = store::DiskFolder::kFirstTop, .marks = {}};
  return store::DiskFolder(directory.path(), std::move(implied));
}

Result<OpenedDisk> open_own_disk(const VmDirectory& directory, const VmConfig& config) {
  constexpr const char* kUsualId = "disk0";
  if (config.disk_folder.empty()) TRY(probe_base_disk(config.base_disk));
  std::unique_ptr<store::Disk> disk = TRY(own_disk(directory, config).open());
  OpenedDisk opened;
  opened.folder = disk.get();
  opened.disk = {std::move(disk), config.disk_id.empty() ? kUsualId : config.disk_id};
  return opened;
}

bool has_seed(const VmDirectory& directory) { return std::filesystem::exists(directory.seed()); }

Result<OpenedDisk> open_seed(const VmDirectory& directory) {
  OpenedDisk opened;
  opened.disk = {TRY(virtio::RawFile::open(directory.seed(), virtio::Access::kReadOnly)), "disk1"};
  return opened;
}

}  // namespace pileus::vmm
