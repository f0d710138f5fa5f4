// Stream-optimized: written from front to back, each grain packed, the directory last.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <string>

#include "foreign/internal/blocks.h"
#include "foreign/internal/vmdk.h"
#include "foreign/internal/writers.h"

namespace pileus::foreign {
namespace {

constexpr u64 kGrainBytes = vmdk::kGrain * kSector;
constexpr u64 kDescriptorSectors = 20;
constexpr u64 kOverhead = vmdk::kGrain;  // sectors before the first grain
constexpr u64 kTableSectors = vmdk::kEntries * sizeof(u32) / kSector;

class Writer {
 public:
  Writer(DiskReader& disk, int fd, std::string name)
      : fd_(fd), name_(std::move(name)), capacity_(disk.size() / kSector), directory_(table_count() * sizeof(u32)) {}

  Result<> write(Blocks& blocks) {
    TRY(write_at(fd_, 0, header(vmdk::kAtTheEnd)));
    const std::string text = descriptor();
    TRY(write_at(fd_, kSector, {reinterpret_cast<const u8*>(text.data()), text.size()}));
    while (const std::optional<Blocks::Block> block = TRY(blocks.next())) {
      const u64 table = block->index / vmdk::kEntries;
      if (table != table_) TRY(finish_table());
      table_ = table;
      TRY(write_grain(*block));
    }
    TRY(finish_table());
    const u64 sectors = align_up(directory_.size(), kSector) / kSector;
    directory_.resize(sectors * kSector);
    const u64 place = TRY(write_marked(vmdk::Marker::kDirectory, directory_));
    TRY(write_marked(vmdk::Marker::kFooter, header(place)));
    return write_at(fd_, next_ * kSector, std::array<u8, kSector>{});
  }

 private:
  u64 table_count() const { return (capacity_ + vmdk::kGrain * vmdk::kEntries - 1) / (vmdk::kGrain * vmdk::kEntries); }

  std::array<u8, kSector> header(u64 directory) const {
    std::array<u8, kSector> bytes = {};
    store_little<u32>(bytes, 0, vmdk::kMagic);
    store_little<u32>(bytes, vmdk::kVersionAt, 3);
    store_little<u32>(bytes, vmdk::kFlagsAt, vmdk::kNewLines | vmdk::kPackedGrains | vmdk::kMarkers);
    store_little<u64>(bytes, vmdk::kCapacityAt, align_up(capacity_, vmdk::kGrain));
    store_little<u64>(bytes, vmdk::kGrainSizeAt, vmdk::kGrain);
    store_little<u64>(bytes, vmdk::kDescriptorAt, 1);
    store_little<u64>(bytes, vmdk::kDescriptorSizeAt, kDescriptorSectors);
    store_little<u32>(bytes, vmdk::kEntriesAt, vmdk::kEntries);
    store_little<u64>(bytes, vmdk::kDirectoryAt, directory);
    store_little<u64>(bytes, vmdk::kOverheadAt, kOverhead);
    std::ranges::copy(std::string_view("\n \r\n"), bytes.begin() + vmdk::kLineEndsAt);
    store_little<u16>(bytes, vmdk::kCompressionAt, vmdk::kDeflate);
    return bytes;
  }

  std::string descriptor() const {
    const u64 capacity = align_up(capacity_, vmdk::kGrain);
    const u64 cylinders = std::min<u64>(capacity / (u64{255} * 63), 65535);
    return "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
           "createType=\"streamOptimized\"\n\n# Extent description\nRW " +
           std::to_string(capacity) + " SPARSE \"" + name_ +
           "\"\n\n# The Disk Data Base\n#DDB\n\nddb.virtualHWVersion = \"4\"\nddb.geometry.cylinders = \"" +
           std::to_string(cylinders) +
           "\"\nddb.geometry.heads = \"255\"\nddb.geometry.sectors = \"63\"\nddb.adapterType = \"lsilogic\"\n";
  }

  Result<> write_grain(const Blocks::Block& block) {
    packed_.resize(vmdk::kGrainHeader + ::compressBound(kGrainBytes));
    uLongf length = packed_.size() - vmdk::kGrainHeader;
    const int code =
        ::compress2(packed_.data() + vmdk::kGrainHeader, &length, block.bytes.data(), block.bytes.size(), Z_BEST_SPEED);
    if (code != Z_OK) return Error(ErrorCode::kExhausted, "no memory to pack a disk");
    store_little<u64>(packed_, 0, block.index * vmdk::kGrain);
    store_little<u32>(packed_, sizeof(u64), static_cast<u32>(length));
    packed_.resize(vmdk::kGrainHeader + length);
    packed_.resize(align_up(packed_.size(), kSector));
    store_little<u32>(grains_, block.index % vmdk::kEntries * sizeof(u32), TRY(place()));
    TRY(write_at(fd_, next_ * kSector, packed_));
    next_ += packed_.size() / kSector;
    return {};
  }

  Result<> finish_table() {
    if (table_ == UINT64_MAX) return {};
    const u64 at = TRY(write_marked(vmdk::Marker::kTable, grains_));
    store_little<u32>(directory_, table_ * sizeof(u32), static_cast<u32>(at));
    grains_.fill(0);
    return {};
  }

  // The sector where the data begins, behind its marker.
  Result<u64> write_marked(vmdk::Marker type, std::span<const u8> data) {
    std::array<u8, kSector> marker = {};
    store_little<u64>(marker, 0, data.size() / kSector);
    store_little<u32>(marker, vmdk::kGrainHeader, static_cast<u32>(type));
    TRY(write_at(fd_, next_ * kSector, marker));
    const u64 at = next_ + 1;
    TRY(write_at(fd_, at * kSector, data));
    next_ = at + data.size() / kSector;
    return at;
  }

  Result<u32> place() const {
    if (next_ > UINT32_MAX) return Error(ErrorCode::kUnsupported, "a VMDK holds up to 2 TiB of data: take raw");
    return static_cast<u32>(next_);
  }

  const int fd_;
  const std::string name_;
  const u64 capacity_;  // sectors
  std::vector<u8> directory_;
  std::array<u8, kTableSectors * kSector> grains_ = {};  // the table being filled
  u64 table_ = UINT64_MAX;                               // which that is
  u64 next_ = kOverhead;                                 // the sector that is written next
  std::vector<u8> packed_;
};

}  // namespace

Result<> write_vmdk(DiskReader& disk, int fd, const std::string& name, const Progress& progress) {
  Blocks blocks(disk, kGrainBytes, progress);
  return Writer(disk, fd, name).write(blocks);
}

}  // namespace pileus::foreign
