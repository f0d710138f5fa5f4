#include "machine/diskboot/partition_table.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <optional>

#include "machine/loader/bytes.h"

namespace pileus::machine {

namespace {

constexpr u64 kSector = 512;
using Sector = std::array<u8, kSector>;

struct [[gnu::packed]] MbrEntry {
  u8 status;
  u8 first_chs[3];
  u8 type;
  u8 last_chs[3];
  u32 first_sector;
  u32 sectors;
};
static_assert(sizeof(MbrEntry) == 16);

// UEFI 2.10, table 5-5.
struct [[gnu::packed]] GptHeader {
  char signature[8];
  u32 revision;
  u32 header_size;
  u32 header_crc;
  u32 reserved;
  u64 my_lba;
  u64 alternate_lba;
  u64 first_usable_lba;
  u64 last_usable_lba;
  u8 disk_guid[16];
  u64 entries_lba;
  u32 entry_count;
  u32 entry_size;
  u32 entries_crc;
};
static_assert(sizeof(GptHeader) == 92);

// Table 5-6.
struct [[gnu::packed]] GptEntry {
  u8 type[16];
  u8 guid[16];
  u64 first_lba;
  u64 last_lba;
};
static_assert(sizeof(GptEntry) == 48);

constexpr u64 kMbrEntries = 446, kMbrSignature = 440, kMbrMagic = 510;
constexpr u8 kTypeProtective = 0xEE;
constexpr u64 kMaxTableBytes = kMiB;  // 64 times what everybody uses
constexpr unsigned kMaxLogical = 64;

u32 crc32_of(Bytes bytes) { return static_cast<u32>(::crc32(0, bytes.data(), static_cast<uInt>(bytes.size()))); }

Result<Sector> read_sector(DiskReader& disk, u64 lba) {
  Sector sector{};
  TRY(disk.read(lba * kSector, sector));
  return sector;
}

// Nothing when it is empty or nonsense. It may reach beyond the end of the disk: see on_disk().
std::optional<Partition> make_partition(u64 first_sector, u64 sectors, std::string uuid) {
  constexpr u64 kMaxSector = ~u64{0} / kSector / 2;
  if (sectors == 0 || first_sector == 0 || first_sector > kMaxSector || sectors > kMaxSector) return std::nullopt;
  return Partition{first_sector * kSector, sectors * kSector, std::move(uuid)};
}

// Those of `partitions` that lie on the disk. When all reach beyond its end, the disk was cut.
Result<std::vector<Partition>> on_disk(const DiskReader& disk, std::vector<Partition> partitions) {
  const auto beyond = [&](const Partition& partition) {
    return partition.offset >= disk.size() || partition.length > disk.size() - partition.offset;
  };
  if (!partitions.empty() && std::all_of(partitions.begin(), partitions.end(), beyond)) {
    return Error(ErrorCode::kCorrupt, "it is cut short: a partition ends at byte " +
                                          std::to_string(partitions[0].offset + partitions[0].length) + " of " +
                                          std::to_string(disk.size()));
  }
  std::erase_if(partitions, beyond);
  return partitions;
}

// The first three fields of a GUID are little-endian numbers (UEFI 2.10, appendix A).
std::string guid_text(const u8* g) {
  char text[40];
  std::snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[3], g[2],
                g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]);
  return text;
}

std::optional<GptHeader> check_header(const Sector& sector, u64 lba) {
  const GptHeader header = *load<GptHeader>(sector, 0);
  if (std::memcmp(header.signature, "EFI PART", sizeof header.signature) != 0) return std::nullopt;
  if (header.header_size < sizeof header || header.header_size > kSector || header.my_lba != lba) return std::nullopt;
  Sector zeroed = sector;
  constexpr u64 kCrcOffset = 16;
  std::fill_n(zeroed.begin() + kCrcOffset, sizeof(u32), u8{0});
  if (crc32_of(Bytes(zeroed).first(header.header_size)) != header.header_crc) return std::nullopt;
  if (header.entry_size < 128 || header.entry_size % 8 != 0) return std::nullopt;
  const auto bytes = checked_mul<u64>(header.entry_count, header.entry_size);
  if (!bytes || *bytes > kMaxTableBytes) return std::nullopt;
  return header;
}

// The partitions of the GPT whose header is at `lba`, or nothing when this copy is damaged or
// absent.
Result<std::optional<std::vector<Partition>>> read_gpt_copy(DiskReader& disk, u64 lba) {
  const Sector sector = TRY(read_sector(disk, lba));
  const auto header = check_header(sector, lba);
  if (!header || header->entries_lba >= disk.size() / kSector) return std::optional<std::vector<Partition>>();
  std::vector<u8> table(u64{header->entry_count} * header->entry_size);
  const u64 table_offset = header->entries_lba * kSector;
  if (table.size() > disk.size() - table_offset) return std::optional<std::vector<Partition>>();
  TRY(disk.read(table_offset, table));
  if (crc32_of(table) != header->entries_crc) return std::optional<std::vector<Partition>>();

  std::vector<Partition> partitions;
  for (u64 i = 0; i < header->entry_count; ++i) {
    const GptEntry entry = *load<GptEntry>(table, i * header->entry_size);
    const bool unused = std::all_of(std::begin(entry.type), std::end(entry.type), [](u8 b) { return b == 0; });
    if (unused || entry.last_lba < entry.first_lba || entry.last_lba == ~u64{0}) continue;
    auto partition = make_partition(entry.first_lba, entry.last_lba - entry.first_lba + 1, guid_text(entry.guid));
    if (partition) partitions.push_back(std::move(*partition));
  }
  return std::optional(std::move(partitions));
}

Result<std::vector<Partition>> read_gpt(DiskReader& disk) {
  const u64 last_lba = disk.size() / kSector - 1;
  for (const u64 lba : {u64{1}, last_lba}) {
    auto partitions = TRY(read_gpt_copy(disk, lba));
    if (partitions) return std::move(*partitions);
  }
  return Error(ErrorCode::kCorrupt, "both copies of the GPT partition table are damaged");
}

bool has_mbr_magic(const Sector& sector) { return sector[kMbrMagic] == 0x55 && sector[kMbrMagic + 1] == 0xAA; }
MbrEntry mbr_entry(const Sector& sector, u64 index) {
  return *load<MbrEntry>(sector, kMbrEntries + index * sizeof(MbrEntry));
}
bool is_extended(u8 type) { return type == 0x05 || type == 0x0F || type == 0x85; }

std::string mbr_uuid(u32 signature, unsigned number) {
  char text[16];
  std::snprintf(text, sizeof text, "%08x-%02x", signature, number & 0xFF);
  return text;
}

// Logical partitions: each extended boot record has one partition, relative to itself, and a link
// to the next record, relative to the first.
Result<> read_logical(DiskReader& disk, u64 base, u32 signature, std::vector<Partition>& out) {
  u64 record = base;
  for (unsigned number = 5; number < 5 + kMaxLogical; ++number) {
    if (record >= disk.size() / kSector) return {};
    const Sector sector = TRY(read_sector(disk, record));
    if (!has_mbr_magic(sector)) return {};
    const MbrEntry entry = mbr_entry(sector, 0), next = mbr_entry(sector, 1);
    auto partition = make_partition(record + entry.first_sector, entry.sectors, mbr_uuid(signature, number));
    if (partition && entry.type != 0) out.push_back(std::move(*partition));
    if (!is_extended(next.type) || next.first_sector == 0) return {};
    record = base + next.first_sector;
  }
  return {};
}

Result<std::vector<Partition>> read_mbr(DiskReader& disk, const Sector& sector) {
  const u32 signature = *load<u32>(sector, kMbrSignature);
  std::vector<Partition> partitions;
  for (unsigned i = 0; i < 4; ++i) {
    const MbrEntry entry = mbr_entry(sector, i);
    if (entry.type == 0) continue;
    if (is_extended(entry.type)) {
      TRY(read_logical(disk, entry.first_sector, signature, partitions));
      continue;
    }
    auto partition = make_partition(entry.first_sector, entry.sectors, mbr_uuid(signature, i + 1));
    if (partition) partitions.push_back(std::move(*partition));
  }
  return partitions;
}

bool is_protective(const Sector& sector) {
  for (unsigned i = 0; i < 4; ++i) {
    if (mbr_entry(sector, i).type == kTypeProtective) return true;
  }
  return false;
}

// The magic of ext2/3/4's superblock: such a disk may carry anything in its first sector.
Result<bool> is_bare_ext(DiskReader& disk) {
  constexpr u64 kMagicOffset = 1024 + 56;
  if (disk.size() < kMagicOffset + 2) return false;
  std::array<u8, 2> magic{};
  TRY(disk.read(kMagicOffset, magic));
  return magic[0] == 0x53 && magic[1] == 0xEF;
}

}  // namespace

Result<std::vector<Partition>> read_partitions(DiskReader& disk) {
  if (disk.size() < 4 * kSector) return Error(ErrorCode::kCorrupt, "the disk is too small to hold anything");
  const Sector first = TRY(read_sector(disk, 0));
  const bool bare = TRY(is_bare_ext(disk));
  if (!bare && has_mbr_magic(first)) {
    return on_disk(disk, is_protective(first) ? TRY(read_gpt(disk)) : TRY(read_mbr(disk, first)));
  }
  return std::vector<Partition>{{0, disk.size(), ""}};
}

}  // namespace pileus::machine
