// For tests: a disk in memory, which fails, or has no room, when it is told to.
#pragma once

#include <cstring>
#include <vector>

#include "virtio/block_backend.h"

namespace pileus::virtio::testing {

class FakeDisk : public BlockBackend {
 public:
  explicit FakeDisk(u64 size, bool is_read_only = false) : bytes(size), read_only_(is_read_only) {}
  u64 size() const override { return bytes.size(); }
  bool read_only() const override { return read_only_; }
  Result<> read(u64 offset, std::span<u8> out) override {
    TRY(access(offset, out.size()));
    std::memcpy(out.data(), &bytes[offset], out.size());
    return {};
  }
  Result<> write(u64 offset, std::span<const u8> data) override {
    TRY(access(offset, data.size()));
    if (full && offset >= kFullFrom) return Error(ErrorCode::kExhausted, "no room");
    std::memcpy(&bytes[offset], data.data(), data.size());
    return {};
  }
  Result<> flush() override {
    ++flushes;
    return {};
  }
  Result<> discard(u64 offset, u64 length) override {
    TRY(access(offset, length));
    discarded += length;
    return {};
  }
  Result<> write_zeroes(u64 offset, u64 length) override {
    TRY(access(offset, length));
    std::memset(&bytes[offset], 0, length);
    return {};
  }
  Result<> access(u64 offset, u64 length) const {
    if (failing) return Error(ErrorCode::kIo, "the test says no");
    return check_range(offset, length, bytes.size());
  }

  std::vector<u8> bytes;
  int flushes = 0;
  u64 discarded = 0;
  bool failing = false;
  static constexpr u64 kFullFrom = 8 * 512;  // changes of what is before need no room
  bool full = false;

 private:
  bool read_only_;
};

}  // namespace pileus::virtio::testing
