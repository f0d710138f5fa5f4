#include <algorithm>
#include <array>
#include <cstring>

#include "foreign/internal/inflate.h"
#include "foreign/internal/readers.h"
#include "foreign/internal/vmdk.h"

namespace pileus::foreign {
namespace {

constexpr u64 kMaxGrain = 2048;  // sectors
constexpr u64 kMaxTables = 32 * kMiB / sizeof(u32);
constexpr u64 kMaxDescriptor = 1 * kMiB;
constexpr u32 kZeroes = 1;
constexpr u64 kFromEnd = 2 * kSector;  // where the footer is

struct Header {
  u32 flags = 0;
  u64 capacity = 0;
  u64 grain = 0;  // sectors
  u64 descriptor = 0;
  u64 descriptor_size = 0;
  u64 directory = 0;
  bool packed() const { return (flags & vmdk::kPackedGrains) != 0; }
};

Error refuse(const std::string& why) { return {ErrorCode::kUnsupported, "the VMDK disk " + why}; }
Error corrupt(const std::string& why) { return {ErrorCode::kCorrupt, "the VMDK disk " + why}; }

Result<Header> read_header(Input& input, u64 offset) {
  std::array<u8, kSector> bytes = {};
  TRY(input.read(offset, std::span(bytes).first(std::min<u64>(bytes.size(), input.size() - offset))));
  if (little<u32>(bytes, 0) != vmdk::kMagic) {
    if (std::memcmp(bytes.data(), "# Disk", 6) == 0) {
      return refuse("is a description of other files: give it as one sparse or stream-optimized file");
    }
    return Error(ErrorCode::kInvalid, "this is no VMDK disk");
  }
  Header header;
  header.flags = little<u32>(bytes, vmdk::kFlagsAt);
  header.capacity = little<u64>(bytes, vmdk::kCapacityAt);
  header.grain = little<u64>(bytes, vmdk::kGrainSizeAt);
  header.descriptor = little<u64>(bytes, vmdk::kDescriptorAt);
  header.descriptor_size = little<u64>(bytes, vmdk::kDescriptorSizeAt);
  header.directory = little<u64>(bytes, vmdk::kDirectoryAt);
  if (little<u32>(bytes, vmdk::kVersionAt) > 3) return refuse("is of an unknown version");
  if (header.capacity == 0) return refuse("is a description of other files: give it as one sparse file");
  if (header.grain < 8 || header.grain > kMaxGrain || (header.grain & (header.grain - 1)) != 0) {
    return corrupt("has grains of an impossible size");
  }
  if (little<u32>(bytes, vmdk::kEntriesAt) != vmdk::kEntries) return corrupt("has tables of an impossible size");
  if (header.packed() && little<u16>(bytes, vmdk::kCompressionAt) != vmdk::kDeflate) {
    return refuse("is packed in an unknown way");
  }
  if (header.capacity > kMaxDisk / kSector) return Error(ErrorCode::kInvalid, "the disk is larger than 16 TiB");
  return header;
}

Result<u64> bytes_of(u64 sectors) {
  const auto bytes = checked_mul(sectors, kSector);
  if (!bytes) return corrupt("has a part behind its end");
  return *bytes;
}

// What the disk says of itself in words: whether it lies on another one.
Result<> check_descriptor(Input& input, const Header& header) {
  if (header.descriptor == 0) return {};
  const u64 length = TRY(bytes_of(header.descriptor_size));
  if (length > kMaxDescriptor) return corrupt("has too long a description");
  std::string text(length, '\0');
  const u64 offset = TRY(bytes_of(header.descriptor));
  TRY(input.read(offset, {reinterpret_cast<u8*>(text.data()), text.size()}));
  if (text.find("parentFileNameHint") != std::string::npos) {
    return refuse("lies on a parent: give one that holds all of it");
  }
  return {};
}

class VmdkReader final : public DiskReader {
 public:
  VmdkReader(std::unique_ptr<Input> input, const Header& header, std::vector<u8> directory)
      : input_(std::move(input)),
        header_(header),
        directory_(std::move(directory)),
        table_(vmdk::kEntries * sizeof(u32)) {}
  Format format() const override { return Format::kVmdk; }
  u64 size() const override { return header_.capacity * kSector; }
  u64 chunk_size() const override { return header_.grain * kSector; }

  Result<u64> next_data(u64 index) override {
    const u64 count = chunk_count();
    while (index < count) {
      const u64 table = index / vmdk::kEntries;
      if (table_place(table) == 0) {
        index = (table + 1) * vmdk::kEntries;
        continue;
      }
      TRY(load_table(table));
      if (grain_place(index) > kZeroes) return index;
      ++index;
    }
    return count;
  }

  Result<> read(u64 index, std::span<u8> out) override {
    const u64 table = index / vmdk::kEntries;
    u64 place = 0;
    if (table_place(table) != 0) {
      TRY(load_table(table));
      place = grain_place(index);
    }
    if (place <= kZeroes) {
      std::ranges::fill(out, u8{0});
      return {};
    }
    return header_.packed() ? read_packed(index, place * kSector, out) : input_->read(place * kSector, out);
  }

 private:
  u64 table_place(u64 table) const { return little<u32>(directory_, table * sizeof(u32)); }
  u64 grain_place(u64 index) const { return little<u32>(table_, index % vmdk::kEntries * sizeof(u32)); }

  Result<> load_table(u64 table) {
    if (loaded_ == table) return {};
    loaded_ = UINT64_MAX;
    TRY(input_->read(table_place(table) * kSector, table_));
    loaded_ = table;
    return {};
  }

  Result<> read_packed(u64 index, u64 offset, std::span<u8> out) {
    std::array<u8, vmdk::kGrainHeader> head = {};
    TRY(input_->read(offset, head));
    const u64 length = little<u32>(head, sizeof(u64));
    if (little<u64>(head, 0) != index * header_.grain || length > 2 * out.size()) {
      return corrupt("has a grain that is another one's");
    }
    packed_.resize(length);
    TRY(input_->read(offset + head.size(), packed_));
    // The last grain may be packed as far as the disk goes.
    const u64 whole = std::min<u64>(out.size(), size() - index * chunk_size());
    if (unpack(Packing::kZlib, packed_, out)) return {};
    return unpack(Packing::kZlib, packed_, out.first(whole));
  }

  const std::unique_ptr<Input> input_;
  const Header header_;
  const std::vector<u8> directory_;
  std::vector<u8> table_;
  u64 loaded_ = UINT64_MAX;
  std::vector<u8> packed_;
};

}  // namespace

Result<std::unique_ptr<DiskReader>> open_vmdk(std::unique_ptr<Input> input) {
  Header header = TRY(read_header(*input, 0));
  TRY(check_descriptor(*input, header));
  if (header.directory == vmdk::kAtTheEnd) {
    if (input->size() < kFromEnd) return corrupt("is cut short");
    header = TRY(read_header(*input, input->size() - kFromEnd).with("its end"));
  }
  const u64 grains = (header.capacity + header.grain - 1) / header.grain;
  const u64 tables = (grains + vmdk::kEntries - 1) / vmdk::kEntries;
  if (tables > kMaxTables) return corrupt("has too large a table");
  std::vector<u8> directory(tables * sizeof(u32));
  const u64 offset = TRY(bytes_of(header.directory));
  TRY(input->read(offset, directory));
  return std::unique_ptr<DiskReader>(std::make_unique<VmdkReader>(std::move(input), header, std::move(directory)));
}

}  // namespace pileus::foreign
