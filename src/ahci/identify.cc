#include "ahci/identify.h"

#include <algorithm>

namespace pileus::ahci {

namespace {

constexpr u64 kMaxLba28 = 0x0FFFFFFF;

class Words {
 public:
  void set(std::size_t word, u16 value) {
    bytes_[2 * word] = static_cast<u8>(value);
    bytes_[2 * word + 1] = static_cast<u8>(value >> 8);
  }
  void set_long(std::size_t word, u64 value, std::size_t words) {
    for (std::size_t i = 0; i < words; ++i) set(word + i, static_cast<u16>(value >> 16 * i));
  }
  // Padded with spaces; of two characters the first is in the upper half of a word.
  void set_text(std::size_t word, std::size_t words, std::string_view text) {
    for (std::size_t i = 0; i < 2 * words; ++i) {
      bytes_[2 * word + (i ^ 1)] = i < text.size() ? static_cast<u8>(text[i]) : u8{' '};
    }
  }
  // With the checksum that makes all bytes add up to zero.
  Sector finished() {
    constexpr u8 kHasChecksum = 0xA5;
    bytes_[kSectorBytes - 2] = kHasChecksum;
    u8 sum = 0;
    for (const u8 byte : bytes_) sum = static_cast<u8>(sum + byte);
    bytes_[kSectorBytes - 1] = static_cast<u8>(-sum);
    return bytes_;
  }

 private:
  Sector bytes_{};
};

// What both kinds of drives have: DMA up to Ultra DMA mode 5, three generations of Serial ATA.
Words common(std::string_view serial, std::string_view model) {
  Words words;
  words.set_text(10, 10, serial);
  words.set_text(23, 4, "1");
  words.set_text(27, 20, model);
  words.set(53, 0x0006);   // words 64 to 70 and 88 count
  words.set(63, 0x0007);   // multiword DMA 0 to 2
  words.set(64, 0x0003);   // PIO 3 and 4
  for (std::size_t word = 65; word <= 68; ++word) words.set(word, 120);  // ns a word takes
  words.set(77, 0x0006);   // the third generation is in use
  words.set(80, 0x01F0);   // ATA/ATAPI-4 to ATA8-ACS
  words.set(88, 0x203F);   // Ultra DMA 0 to 5; 5 is chosen
  return words;
}

}  // namespace

Sector identify_disk(const DiskTraits& disk) {
  constexpr u16 kCylinders = 16383, kHeads = 16, kTrackSectors = 63;
  constexpr u16 kWriteCache = 1 << 5, kLookAhead = 1 << 6, kPowerManagement = 1 << 3;
  constexpr u16 kLba48 = 1 << 10, kFlush = 1 << 12, kFlushExt = 1 << 13, kForcedAccess = 1 << 6, kLogs = 1 << 5;
  constexpr u16 kValid = 1 << 14;
  Words words = common(disk.serial, "Pileus disk");
  words.set(0, 0x0040);  // not removable
  words.set(1, kCylinders);
  words.set(3, kHeads);
  words.set(6, kTrackSectors);
  words.set(47, 0x8000 | kMaxMultiple);
  words.set(49, 0x0F00);  // DMA, LBA, IORDY
  words.set(50, kValid);
  words.set(59, disk.multiple == 0 ? u16{0} : static_cast<u16>(0x0100 | disk.multiple));
  words.set_long(60, std::min(disk.sectors, kMaxLba28), 2);
  words.set(75, 31);      // 32 queued commands
  words.set(76, 0x010E);  // queuing, three generations
  words.set(82, kWriteCache | kLookAhead | kPowerManagement);
  words.set(83, kValid | kLba48 | kFlush | kFlushExt);
  words.set(84, kValid | kForcedAccess | kLogs);
  words.set(85, static_cast<u16>((disk.write_cache ? kWriteCache : 0) | kLookAhead | kPowerManagement));
  words.set(86, kLba48 | kFlush | kFlushExt);
  words.set(87, kValid | kForcedAccess | kLogs);
  words.set_long(100, disk.sectors, 4);
  words.set(106, kValid);  // sectors of 512 bytes
  if (disk.can_trim) {
    words.set(105, kTrimBlocks);
    words.set(169, 1);
  }
  words.set(217, 1);  // nothing rotates
  return words.finished();
}

Sector identify_cd_drive() {
  constexpr u16 kAtapi = 0x8000, kCdRom = 5 << 8, kRemovable = 1 << 7, kFastRequest = 2 << 5;
  constexpr u16 kPacket = 1 << 4, kDeviceReset = 1 << 9, kValid = 1 << 14;
  Words words = common("cd", "Pileus CD-ROM");
  words.set(0, kAtapi | kCdRom | kRemovable | kFastRequest);  // packets of 12 bytes
  words.set(49, 0x0F00);
  words.set(76, 0x000E);
  words.set(82, kPacket | kDeviceReset);
  words.set(83, kValid);
  words.set(84, kValid);
  words.set(85, kPacket | kDeviceReset);
  words.set(87, kValid);
  return words.finished();
}

}  // namespace pileus::ahci
