#include "foreign/disk_reader.h"

#include <array>
#include <cstring>

#include "foreign/internal/bytes.h"
#include "foreign/internal/readers.h"

namespace pileus::foreign {
namespace {

constexpr std::string_view kDescriptor = "# Disk DescriptorFile";

bool begins_with(std::span<const u8> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

Result<Format> guess(Input& input) {
  std::array<u8, kSector> head = {};
  const std::size_t length = std::min<u64>(head.size(), input.size());
  TRY(input.read(0, std::span(head).first(length)));
  if (begins_with(head, "QFI\xfb")) return Format::kQcow2;
  if (begins_with(head, "KDMV") || begins_with(head, kDescriptor)) return Format::kVmdk;
  if (begins_with(head, "conectix")) return Format::kVhd;
  if (begins_with(head, "vhdxfile")) {
    return Error(ErrorCode::kUnsupported, "the disk is a VHDX: convert it to VHD, VMDK, qcow2 or raw");
  }
  if (input.size() > head.size()) {  // a VHD of fixed size is a raw disk with a footer
    TRY(input.read(input.size() - kSector, head));
    if (begins_with(head, "conectix")) return Format::kVhd;
  }
  return Format::kRaw;
}

}  // namespace

Result<> check_disk_size(u64 bytes) {
  if (bytes == 0) return Error(ErrorCode::kInvalid, "the disk is empty");
  if (bytes % kSector != 0) {
    return Error(ErrorCode::kInvalid, "this is no disk: its " + std::to_string(bytes) +
                                          " bytes are no whole number of sectors of 512 bytes");
  }
  if (bytes > kMaxDisk) return Error(ErrorCode::kInvalid, "the disk is larger than 16 TiB");
  return {};
}

Result<std::unique_ptr<DiskReader>> open_disk(std::unique_ptr<Input> input, std::optional<Format> format) {
  if (!format) format = TRY(guess(*input));
  switch (*format) {
    case Format::kRaw: return open_raw(std::move(input));
    case Format::kQcow2: return open_qcow2(std::move(input));
    case Format::kVmdk: return open_vmdk(std::move(input));
    case Format::kVhd: return open_vhd(std::move(input));
  }
  return Error(ErrorCode::kInvalid, "this is no format of disks");
}

}  // namespace pileus::foreign
