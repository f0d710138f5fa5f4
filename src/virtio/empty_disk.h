// EmptyDisk: a base of `size` bytes that all read as zero, for overlays that stand on nothing else.
#pragma once

#include <algorithm>

#include "virtio/block_backend.h"

namespace pileus::virtio {

class EmptyDisk : public BlockBackend {
 public:
  explicit EmptyDisk(u64 size = 0) : size_(size) {}
  u64 size() const override { return size_; }
  bool read_only() const override { return true; }
  Result<> read(u64 offset, std::span<u8> out) override {
    TRY(check_range(offset, out.size(), size_));
    std::fill(out.begin(), out.end(), u8{0});
    return {};
  }
  Result<> write(u64, std::span<const u8>) override { return refusal(); }
  Result<> flush() override { return {}; }
  Result<> discard(u64, u64) override { return refusal(); }
  Result<> write_zeroes(u64, u64) override { return refusal(); }

 private:
  static Error refusal() { return {ErrorCode::kPermission, "the disk is read-only"}; }
  u64 size_;
};

}  // namespace pileus::virtio
