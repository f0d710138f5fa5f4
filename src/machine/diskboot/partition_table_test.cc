#include "machine/diskboot/partition_table.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "machine/diskboot/memory_disk.h"
#include "machine/fuzz.h"
#include "machine/testing/kernels.h"

namespace pileus::machine {
namespace {

using testing::put;

constexpr u64 kSector = 512, kSectors = 200, kLast = kSectors - 1;

u32 crc(const u8* data, u64 size) { return static_cast<u32>(::crc32(0, data, static_cast<uInt>(size))); }

void put_text(std::vector<u8>& disk, u64 offset, const std::string& text) {
  std::copy(text.begin(), text.end(), disk.begin() + static_cast<std::ptrdiff_t>(offset));
}

// Header at `lba` for `count` entries at `entries`.
void put_gpt_header(std::vector<u8>& disk, u64 lba, u64 entries, u32 count) {
  const u64 base = lba * kSector;
  put_text(disk, base, "EFI PART");
  put(disk, base + 8, u32{0x10000});
  put(disk, base + 12, u32{92});
  put(disk, base + 16, u32{0});
  put(disk, base + 24, lba);
  put(disk, base + 72, entries);
  put(disk, base + 80, count);
  put(disk, base + 84, u32{128});
  put(disk, base + 88, crc(disk.data() + entries * kSector, u64{count} * 128));
  put(disk, base + 16, crc(disk.data() + base, 92));
}

void put_gpt_entry(std::vector<u8>& disk, u64 table_lba, u64 index, u64 first, u64 last) {
  const u64 base = table_lba * kSector + index * 128;
  for (u8 i = 0; i < 16; ++i) disk[base + i] = 1, disk[base + 16 + i] = i;
  put(disk, base + 32, first);
  put(disk, base + 40, last);
}

std::vector<u8> make_gpt() {
  std::vector<u8> disk(kSectors * kSector);
  put(disk, 446 + 4, u8{0xEE});
  put(disk, 510, u16{0xAA55});
  for (const u64 table : {u64{2}, kLast - 1}) {
    put_gpt_entry(disk, table, 0, 40, 49);
    put_gpt_entry(disk, table, 2, 60, 159);
    put_gpt_entry(disk, table, 3, 100, 5000);  // beyond the disk
  }
  put_gpt_header(disk, 1, 2, 4);
  put_gpt_header(disk, kLast, kLast - 1, 4);
  return disk;
}

Result<std::vector<Partition>> read(const std::vector<u8>& bytes) {
  MemoryDisk disk(bytes);
  return read_partitions(disk);
}

void expect_gpt(const Result<std::vector<Partition>>& partitions) {
  ASSERT_TRUE(partitions.ok()) << partitions.error().message();
  ASSERT_EQ(partitions->size(), 2u);
  EXPECT_EQ(partitions->at(0).offset, 40 * kSector);
  EXPECT_EQ(partitions->at(0).length, 10 * kSector);
  EXPECT_EQ(partitions->at(1).offset, 60 * kSector);
  EXPECT_EQ(partitions->at(1).uuid, "03020100-0504-0706-0809-0a0b0c0d0e0f");
}

TEST(PartitionTable, ReadsGpt) { expect_gpt(read(make_gpt())); }

TEST(PartitionTable, FallsBackToTheBackupGpt) {
  std::vector<u8> disk = make_gpt();
  disk[kSector + 40] ^= 1;
  expect_gpt(read(disk));
  disk = make_gpt();
  disk[2 * kSector + 33] ^= 1;
  expect_gpt(read(disk));
  disk[kLast * kSector + 20] ^= 1;
  EXPECT_EQ(read(disk).error().code(), ErrorCode::kCorrupt);
}

TEST(PartitionTable, ReadsMbrWithLogicalPartitions) {
  std::vector<u8> disk(kSectors * kSector);
  const auto entry = [&](u64 lba, u64 index, u8 type, u32 first, u32 count) {
    const u64 base = lba * kSector + 446 + index * 16;
    put(disk, base + 4, type);
    put(disk, base + 8, first);
    put(disk, base + 12, count);
    put(disk, lba * kSector + 510, u16{0xAA55});
  };
  put(disk, 440, u32{0x1234ABCD});
  entry(0, 0, 0x83, 10, 20);
  entry(0, 1, 0x05, 100, 90);
  entry(100, 0, 0x83, 1, 9);
  entry(100, 1, 0x05, 20, 30);
  entry(120, 0, 0x83, 2, 8);
  entry(120, 1, 0x05, 20, 30);  // a loop onto itself: must end
  const auto partitions = read(disk);
  ASSERT_TRUE(partitions.ok());
  ASSERT_GE(partitions->size(), 3u);
  EXPECT_EQ(partitions->at(0).uuid, "1234abcd-01");
  EXPECT_EQ(partitions->at(1).offset, 101 * kSector);
  EXPECT_EQ(partitions->at(1).uuid, "1234abcd-05");
  EXPECT_EQ(partitions->at(2).offset, 122 * kSector);
}

TEST(PartitionTable, TakesABareFilesystemAsOnePartition) {
  std::vector<u8> disk(kSectors * kSector);
  put(disk, 1080, u16{0xEF53});
  const auto partitions = read(disk);
  ASSERT_TRUE(partitions.ok());
  ASSERT_EQ(partitions->size(), 1u);
  EXPECT_EQ(partitions->at(0).length, disk.size());
}

TEST(PartitionTable, SurvivesDamageAndTruncation) {
  std::vector<u8> disk = make_gpt();
  for (u64 i = 440; i < 3 * kSector; ++i) {
    disk[i] ^= 0xFF;
    fuzz_partition_table(disk);
    disk[i] ^= 0xFF;
  }
  for (u64 size = 0; size < disk.size(); size += 37) fuzz_partition_table(std::span<const u8>(disk).first(size));
}

}  // namespace
}  // namespace pileus::machine
