// A raw disk: its bytes. So is a VHD of fixed size, but for its footer.
#include "foreign/internal/readers.h"

#include <algorithm>

namespace pileus::foreign {
namespace {

class RawReader final : public DiskReader {
 public:
  RawReader(std::unique_ptr<Input> input, u64 size, Format format)
      : input_(std::move(input)), size_(size), format_(format) {}
  Format format() const override { return format_; }
  u64 size() const override { return size_; }
  u64 chunk_size() const override { return kChunk; }
  Result<u64> next_data(u64 index) override {
    return std::min(std::max(index, input_->next_data(index * kChunk) / kChunk), chunk_count());
  }
  Result<> read(u64 index, std::span<u8> out) override {
    const u64 offset = index * kChunk;
    return input_->read(offset, out.first(std::min<u64>(kChunk, size_ - offset)));
  }

 private:
  static constexpr u64 kChunk = 64 * kKiB;

  const std::unique_ptr<Input> input_;
  const u64 size_;
  const Format format_;
};

}  // namespace

Result<std::unique_ptr<DiskReader>> open_raw(std::unique_ptr<Input> input) {
  const u64 size = input->size();
  TRY(check_disk_size(size));
  return bytes_of_input(std::move(input), size, Format::kRaw);
}

std::unique_ptr<DiskReader> bytes_of_input(std::unique_ptr<Input> input, u64 size, Format format) {
  return std::make_unique<RawReader>(std::move(input), size, format);
}

}  // namespace pileus::foreign
