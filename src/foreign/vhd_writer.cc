#include <sys/random.h>

#include <algorithm>
#include <array>

#include "foreign/internal/blocks.h"
#include "foreign/internal/vhd.h"
#include "foreign/internal/writers.h"

namespace pileus::foreign {
namespace {

using vhd::kBlock;
constexpr u64 kTableAt = vhd::kFooter + vhd::kDynamicHeader;
constexpr u64 kMaxSize = u64{2040} << 30;  // of the format
constexpr u64 kBitmap = kSector;
constexpr std::size_t kUuid = 16;

void put(std::span<u8> bytes, std::size_t offset, std::string_view text) {
  std::ranges::copy(text, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

// Cylinders, heads and sectors, as near as they come.
u32 geometry(u64 bytes) {
  constexpr u64 kHeads = 16;
  constexpr u64 kTrack = 255;
  const u64 cylinders = std::clamp<u64>(bytes / kSector / (kHeads * kTrack), 1, 65535);
  return static_cast<u32>(cylinders << 16 | kHeads << 8 | kTrack);
}

std::array<u8, vhd::kFooter> footer_of(u64 size) {
  std::array<u8, vhd::kFooter> bytes = {};
  put(bytes, 0, "conectix");
  store_big<u32>(bytes, vhd::kFeaturesAt, 2);  // a bit that is always set
  store_big<u32>(bytes, vhd::kVersionAt, 0x00010000);
  store_big<u64>(bytes, vhd::kHeaderAt, vhd::kFooter);
  put(bytes, vhd::kApplicationAt, "win ");  // Hyper-V: of others, some readers take the geometry for the size
  put(bytes, vhd::kSystemAt, "Wi2k");  // the other one that the format knows is the Macintosh
  store_big<u64>(bytes, vhd::kFirstSizeAt, size);
  store_big<u64>(bytes, vhd::kSizeAt, size);
  store_big<u32>(bytes, vhd::kGeometryAt, geometry(size));
  store_big<u32>(bytes, vhd::kTypeAt, static_cast<u32>(vhd::Type::kDynamic));
  CHECK(::getrandom(&bytes[vhd::kUuidAt], kUuid, 0) == static_cast<ssize_t>(kUuid));
  store_big<u32>(bytes, vhd::kChecksumAt, vhd::checksum(bytes, vhd::kChecksumAt));
  return bytes;
}

std::array<u8, vhd::kDynamicHeader> header_of(u64 blocks) {
  std::array<u8, vhd::kDynamicHeader> bytes = {};
  put(bytes, 0, "cxsparse");
  store_big<u64>(bytes, vhd::kNextAt, vhd::kNoHeader);
  store_big<u64>(bytes, vhd::kTableAt, kTableAt);
  store_big<u32>(bytes, vhd::kHeaderVersionAt, 0x00010000);
  store_big<u32>(bytes, vhd::kEntriesAt, static_cast<u32>(blocks));
  store_big<u32>(bytes, vhd::kBlockSizeAt, kBlock);
  store_big<u32>(bytes, vhd::kHeaderChecksumAt, vhd::checksum(bytes, vhd::kHeaderChecksumAt));
  return bytes;
}

}  // namespace

Result<> write_vhd(DiskReader& disk, int fd, const Progress& progress) {
  if (disk.size() > kMaxSize) {
    return Error(ErrorCode::kUnsupported, "a VHD holds up to 2040 GiB: take VMDK or raw");
  }
  Blocks blocks(disk, kBlock, progress);
  const auto footer = footer_of(disk.size());
  TRY(write_at(fd, 0, footer));
  TRY(write_at(fd, vhd::kFooter, header_of(blocks.count())));
  std::vector<u8> table(align_up(blocks.count() * sizeof(u32), kSector), 0xFF);
  u64 end = kTableAt + table.size();
  std::vector<u8> bitmap(kBitmap, 0xFF);
  while (const std::optional<Blocks::Block> block = TRY(blocks.next())) {
    store_big<u32>(table, block->index * sizeof(u32), static_cast<u32>(end / kSector));
    TRY(write_at(fd, end, bitmap));
    TRY(write_at(fd, end + kBitmap, block->bytes));
    end += kBitmap + kBlock;
  }
  TRY(write_at(fd, kTableAt, table));
  return write_at(fd, end, footer);
}

}  // namespace pileus::foreign
