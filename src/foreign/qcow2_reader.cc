// qcow2, versions 2 and 3 (QEMU's docs/interop/qcow2.txt). All numbers big-endian:
//
//   header := "QFI\xfb" version:u32 backing_offset:u64 backing_size:u32 cluster_bits:u32 size:u64 crypt_method:u32
//             l1_size:u32 l1_offset:u64 ...                                          72 bytes; in version 3 also:
//             incompatible:u64 compatible:u64 autoclear:u64 refcount_order:u32 header_length:u32 [compression:u8]
//   L1     := entry:u64 ...      of each L2 table: its offset in bits 9 to 55
//   L2     := entry:u64 ...      of each cluster; bit 62: packed, else bit 0: zeroes (version 3), bits 9 to 55: offset
#include <algorithm>
#include <array>

#include "foreign/internal/bytes.h"
#include "foreign/internal/inflate.h"
#include "foreign/internal/readers.h"

namespace pileus::foreign {
namespace {

constexpr std::size_t kHeader2 = 72;
constexpr std::size_t kHeader3 = 104;
constexpr std::size_t kCompressionAt = 104;
constexpr u32 kMinClusterBits = 9;
constexpr u32 kMaxClusterBits = 21;
constexpr u64 kMaxL1 = 32 * kMiB;  // QEMU's limit
constexpr u64 kOffset = 0x00FF'FFFF'FFFF'FE00;
constexpr u64 kPacked = u64{1} << 62;
constexpr u64 kZeroes = 1;
constexpr u64 kDirty = 1;  // of the incompatible features: counts of references may be wrong, which nobody reads
constexpr u64 kExternalData = 1 << 2;
constexpr u64 kCompression = 1 << 3;

struct Header {
  u32 version = 0;
  u32 cluster_bits = 0;
  u64 size = 0;
  u32 l1_size = 0;
  u64 l1_offset = 0;
  Packing packing = Packing::kDeflate;
};

Error refuse(const std::string& why) { return {ErrorCode::kUnsupported, "the qcow2 disk " + why}; }
Error corrupt(const std::string& why) { return {ErrorCode::kCorrupt, "the qcow2 disk " + why}; }

Result<> read_features(Input& input, Header& header) {
  std::array<u8, kHeader3 + 1> bytes = {};
  TRY(input.read(0, std::span(bytes).first(kHeader3)));
  const u64 features = big<u64>(bytes, 72);
  if ((features & kExternalData) != 0) return refuse("keeps its data in another file: give one that holds all of it");
  if ((features & ~(kDirty | kCompression)) != 0) return refuse("uses features that are not known here: convert it");
  if ((features & kCompression) == 0) return {};
  TRY(input.read(0, bytes));
  if (big<u32>(bytes, 100) <= kCompressionAt || bytes[kCompressionAt] > 1) return refuse("is packed in an unknown way");
  if (bytes[kCompressionAt] == 1) header.packing = Packing::kZstd;
  return {};
}

Result<Header> read_header(Input& input) {
  std::array<u8, kHeader2> bytes = {};
  TRY(input.read(0, bytes));
  if (big<u32>(bytes, 0) != 0x514649FB) return Error(ErrorCode::kInvalid, "this is no qcow2 disk");
  Header header;
  header.version = big<u32>(bytes, 4);
  header.cluster_bits = big<u32>(bytes, 20);
  header.size = big<u64>(bytes, 24);
  header.l1_size = big<u32>(bytes, 36);
  header.l1_offset = big<u64>(bytes, 40);
  if (header.version != 2 && header.version != 3) return refuse("is of an unknown version");
  if (big<u64>(bytes, 8) != 0) return refuse("lies on a backing file: give one that holds all of it");
  if (big<u32>(bytes, 32) != 0) return refuse("is encrypted");
  if (header.cluster_bits < kMinClusterBits || header.cluster_bits > kMaxClusterBits) {
    return corrupt("has clusters of an impossible size");
  }
  TRY(check_disk_size(header.size));
  if (header.version == 3) TRY(read_features(input, header));
  return header;
}

class Qcow2Reader final : public DiskReader {
 public:
  Qcow2Reader(std::unique_ptr<Input> input, const Header& header, std::vector<u8> l1)
      : input_(std::move(input)),
        header_(header),
        l1_(std::move(l1)),
        per_table_(chunk_size() / sizeof(u64)),
        l2_(chunk_size()) {}
  Format format() const override { return Format::kQcow2; }
  u64 size() const override { return header_.size; }
  u64 chunk_size() const override { return u64{1} << header_.cluster_bits; }

  Result<u64> next_data(u64 index) override {
    const u64 count = chunk_count();
    while (index < count) {
      const u64 table = index / per_table_;
      if (l1_entry(table) == 0) {
        index = (table + 1) * per_table_;
        continue;
      }
      TRY(load_table(table));
      if (holds_data(l2_entry(index))) return index;
      ++index;
    }
    return count;
  }

  Result<> read(u64 index, std::span<u8> out) override {
    const u64 table = index / per_table_;
    u64 entry = 0;
    if (l1_entry(table) != 0) {
      TRY(load_table(table));
      entry = l2_entry(index);
    }
    if (!holds_data(entry)) {
      std::ranges::fill(out, u8{0});
      return {};
    }
    return (entry & kPacked) != 0 ? read_packed(entry, out) : input_->read(entry & kOffset, out);
  }

 private:
  u64 l1_entry(u64 table) const { return big<u64>(l1_, table * sizeof(u64)) & kOffset; }
  u64 l2_entry(u64 index) const { return big<u64>(l2_, index % per_table_ * sizeof(u64)); }
  bool holds_data(u64 entry) const {
    if ((entry & kPacked) != 0) return true;
    const bool zeroes = header_.version == 3 && (entry & kZeroes) != 0;
    return !zeroes && (entry & kOffset) != 0;
  }

  Result<> load_table(u64 table) {
    if (loaded_ == table) return {};
    loaded_ = UINT64_MAX;
    TRY(input_->read(l1_entry(table), l2_));
    loaded_ = table;
    return {};
  }

  // Bits 0 to x-1: where, to the byte; x to 61: how many sectors more than the first one, as counted by the file.
  Result<> read_packed(u64 entry, std::span<u8> out) {
    const u32 x = 62 - (header_.cluster_bits - 8);
    const u64 offset = entry & ((u64{1} << x) - 1);
    const u64 sectors = (entry & (kPacked - 1)) >> x;
    const u64 length = (sectors + 1) * kSector - offset % kSector;
    if (offset >= input_->size()) return corrupt("has a packed cluster behind its end");
    packed_.resize(std::min(length, input_->size() - offset));  // the last one's sectors may not all be there
    TRY(input_->read(offset, packed_));
    return unpack(header_.packing, packed_, out);
  }

  const std::unique_ptr<Input> input_;
  const Header header_;
  const std::vector<u8> l1_;
  const u64 per_table_;
  std::vector<u8> l2_;
  u64 loaded_ = UINT64_MAX;  // the table that l2_ is
  std::vector<u8> packed_;
};

}  // namespace

Result<std::unique_ptr<DiskReader>> open_qcow2(std::unique_ptr<Input> input) {
  const Header header = TRY(read_header(*input));
  const u64 cluster = u64{1} << header.cluster_bits;
  const u64 of_table = cluster / sizeof(u64) * cluster;  // bytes of the disk
  const u64 tables = (header.size + of_table - 1) / of_table;
  if (tables > header.l1_size) return corrupt("has too small a table for its size");
  if (tables * sizeof(u64) > kMaxL1) return corrupt("has too large a table");
  std::vector<u8> l1(tables * sizeof(u64));
  TRY(input->read(header.l1_offset, l1));
  return std::unique_ptr<DiskReader>(std::make_unique<Qcow2Reader>(std::move(input), header, std::move(l1)));
}

}  // namespace pileus::foreign
