#include "foreign/format.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "os/file.h"

namespace pileus::foreign {
namespace {

constexpr std::size_t kSector = 512;
constexpr std::string_view kVhdMagic = "conectix";
constexpr std::size_t kVhdTypeAt = 63;  // the low byte of a big-endian number
constexpr u8 kVhdDifferencing = 4;

struct Name {
  std::string_view text;
  Format format;
  std::string_view shown;
};
constexpr std::array<Name, 5> kNames = {{{"raw", Format::kRaw, "raw"},
                                         {"qcow2", Format::kQcow2, "qcow2"},
                                         {"vmdk", Format::kVmdk, "VMDK"},
                                         {"vhd", Format::kVhd, "VHD"},
                                         {"vpc", Format::kVhd, "VHD"}}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool begins_with(std::span<const u8> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

Error refuse(const std::string& why) { return {ErrorCode::kUnsupported, "the " + why}; }

Result<> read_at(int fd, off_t offset, std::span<u8> out) {
  const ssize_t got = ::pread(fd, out.data(), out.size(), offset);
  if (got < 0) return Error::from_errno("read the disk's file");
  if (static_cast<std::size_t>(got) != out.size()) return Error(ErrorCode::kBusy, "the disk's file is being changed");
  return {};
}

}  // namespace

std::optional<Format> parse_format(std::string_view text) {
  for (const Name& name : kNames) {
    if (std::ranges::equal(text, name.text, {}, lower)) return name.format;
  }
  return std::nullopt;
}

std::string_view format_name(Format format) { return std::ranges::find(kNames, format, &Name::format)->shown; }

Result<Format> recognize(std::span<const u8> head, std::span<const u8> tail) {
  if (begins_with(head, "QFI\xfb")) return Format::kQcow2;
  if (begins_with(head, "KDMV")) return Format::kVmdk;
  if (begins_with(head, "# Disk DescriptorFile")) {
    return refuse("VMDK disk is a description of other files: give it as one sparse or stream-optimized file");
  }
  if (begins_with(head, "vhdxfile")) return refuse("disk is a VHDX: convert it to VHD, VMDK, qcow2 or raw");
  // One of fixed size is a raw disk with a footer; others begin with a copy of theirs.
  const std::span<const u8> footer = begins_with(head, kVhdMagic) ? head : tail;
  if (!begins_with(footer, kVhdMagic)) return Format::kRaw;
  if (footer.size() > kVhdTypeAt && footer[kVhdTypeAt] == kVhdDifferencing) {
    return refuse("VHD disk lies on a parent: give one that holds all of it");
  }
  return Format::kVhd;
}

Result<DiskFile> recognize_file(const std::filesystem::path& path, std::optional<Format> wanted) {
  // O_NONBLOCK: a named pipe must not be waited for.
  const os::Fd fd = TRY(os::open_file(path, O_RDONLY | O_NONBLOCK));
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return Error::from_errno("look at " + path.string());
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
    return Error(ErrorCode::kInvalid, path.string() + " is neither a file nor a block device");
  }
  const off_t size = ::lseek(fd.get(), 0, SEEK_END);
  if (size < 0) return Error::from_errno("measure " + path.string());
  const std::size_t length = std::min<std::size_t>(kSector, static_cast<std::size_t>(size));
  std::vector<u8> head(length);
  std::vector<u8> tail(length);
  TRY(read_at(fd.get(), 0, head));
  TRY(read_at(fd.get(), size - static_cast<off_t>(length), tail));
  const Format found = wanted == Format::kRaw ? Format::kRaw : TRY(recognize(head, tail));
  if (wanted && found != *wanted) {
    return Error(ErrorCode::kInvalid, "this is no " + std::string(format_name(*wanted)) + " disk");
  }
  if (found == Format::kRaw) TRY(check_disk_size(static_cast<u64>(size)));
  return DiskFile{found, static_cast<u64>(size)};
}

Result<> check_disk_size(u64 bytes) {
  if (bytes == 0) return Error(ErrorCode::kInvalid, "the disk is empty");
  if (bytes % kSector != 0) {
    return Error(ErrorCode::kInvalid, "this is no disk: its " + std::to_string(bytes) +
                                          " bytes are no whole number of sectors of 512 bytes");
  }
  if (bytes > kMaxDisk) return Error(ErrorCode::kInvalid, "the disk is larger than 16 TiB");
  return {};
}

}  // namespace pileus::foreign
