#include <algorithm>
#include <array>
#include <cstring>

#include "foreign/internal/readers.h"
#include "foreign/internal/vhd.h"

namespace pileus::foreign {
namespace {

constexpr u32 kMaxBlock = 256 * kMiB;
constexpr u64 kMaxTable = 64 * kMiB;

struct Footer {
  u64 size = 0;
  u64 header = 0;
  vhd::Type type = vhd::Type::kFixed;
};

Error refuse(const std::string& why) { return {ErrorCode::kUnsupported, "the VHD disk " + why}; }
Error corrupt(const std::string& why) { return {ErrorCode::kCorrupt, "the VHD disk " + why}; }

bool has_magic(std::span<const u8> bytes, const char* magic) { return std::memcmp(bytes.data(), magic, 8) == 0; }

Result<Footer> read_footer(Input& input) {
  if (input.size() < vhd::kFooter) return Error(ErrorCode::kInvalid, "this is no VHD disk");
  std::array<u8, vhd::kFooter> bytes = {};
  TRY(input.read(input.size() - vhd::kFooter, bytes));
  if (!has_magic(bytes, "conectix")) {
    TRY(input.read(0, bytes));
    if (has_magic(bytes, "conectix")) return corrupt("is cut short");
    return Error(ErrorCode::kInvalid, "this is no VHD disk");
  }
  if (big<u32>(bytes, vhd::kChecksumAt) != vhd::checksum(bytes, vhd::kChecksumAt))
    return corrupt("has a damaged footer");
  Footer footer;
  footer.size = big<u64>(bytes, vhd::kSizeAt);
  footer.header = big<u64>(bytes, vhd::kHeaderAt);
  const u32 type = big<u32>(bytes, vhd::kTypeAt);
  if (type == static_cast<u32>(vhd::Type::kDifferencing)) {
    return refuse("lies on a parent: give one that holds all of it");
  }
  if (type != static_cast<u32>(vhd::Type::kFixed) && type != static_cast<u32>(vhd::Type::kDynamic)) {
    return refuse("is of an unknown type");
  }
  footer.type = static_cast<vhd::Type>(type);
  TRY(check_disk_size(footer.size));
  return footer;
}

class DynamicReader final : public DiskReader {
 public:
  DynamicReader(std::unique_ptr<Input> input, u64 size, u32 block, std::vector<u8> table)
      : input_(std::move(input)),
        size_(size),
        block_(block),
        table_(std::move(table)),
        bitmap_(align_up((block / kSector + 7) / 8, kSector)) {}
  Format format() const override { return Format::kVhd; }
  u64 size() const override { return size_; }
  u64 chunk_size() const override { return block_; }

  Result<u64> next_data(u64 index) override {
    const u64 count = chunk_count();
    while (index < count && place(index) == vhd::kNone) ++index;
    return index;
  }

  Result<> read(u64 index, std::span<u8> out) override {
    std::ranges::fill(out, u8{0});
    if (place(index) == vhd::kNone) return {};
    const u64 offset = u64{place(index)} * kSector;
    TRY(input_->read(offset, bitmap_));
    TRY(input_->read(offset + bitmap_.size(), out));
    for (u64 sector = 0; sector < block_ / kSector; ++sector) {
      const bool written = (bitmap_[sector / 8] >> (7 - sector % 8) & 1) != 0;
      if (!written) std::ranges::fill(out.subspan(sector * kSector, kSector), u8{0});
    }
    return {};
  }

 private:
  u32 place(u64 index) const { return big<u32>(table_, index * sizeof(u32)); }

  const std::unique_ptr<Input> input_;
  const u64 size_;
  const u64 block_;
  const std::vector<u8> table_;
  std::vector<u8> bitmap_;
};

Result<std::unique_ptr<DiskReader>> open_dynamic(std::unique_ptr<Input> input, const Footer& footer) {
  std::array<u8, vhd::kDynamicHeader> bytes = {};
  TRY(input->read(footer.header, bytes));
  if (!has_magic(bytes, "cxsparse")) return corrupt("lacks its header");
  if (big<u32>(bytes, vhd::kHeaderChecksumAt) != vhd::checksum(bytes, vhd::kHeaderChecksumAt)) {
    return corrupt("has a damaged header");
  }
  const u32 block = big<u32>(bytes, vhd::kBlockSizeAt);
  if (block < 4 * kKiB || block > kMaxBlock || (block & (block - 1)) != 0) {
    return corrupt("has blocks of an impossible size");
  }
  const u64 blocks = (footer.size + block - 1) / block;
  if (blocks > big<u32>(bytes, vhd::kEntriesAt)) return corrupt("has too small a table for its size");
  if (blocks * sizeof(u32) > kMaxTable) return corrupt("has too large a table");
  std::vector<u8> table(blocks * sizeof(u32));
  TRY(input->read(big<u64>(bytes, vhd::kTableAt), table));
  return std::unique_ptr<DiskReader>(
      std::make_unique<DynamicReader>(std::move(input), footer.size, block, std::move(table)));
}

}  // namespace

Result<std::unique_ptr<DiskReader>> open_vhd(std::unique_ptr<Input> input) {
  const Footer footer = TRY(read_footer(*input));
  if (footer.type == vhd::Type::kDynamic) return open_dynamic(std::move(input), footer);
  if (footer.size > input->size() - vhd::kFooter) return corrupt("is shorter than it says");
  return bytes_of_input(std::move(input), footer.size, Format::kVhd);
}

}  // namespace pileus::foreign
