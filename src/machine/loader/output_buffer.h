// OutputBuffer: where a decompressor writes. It grows by doubling up to a limit, so that a hostile
// stream costs no more; growing neither clears nor, for large sizes, copies memory (realloc moves
// the pages).
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::machine {

struct FreeDeleter {
  void operator()(u8* bytes) const { std::free(bytes); }
};

// Bytes on the heap, as an OutputBuffer leaves them.
struct UnpackedBytes {
  std::unique_ptr<u8[], FreeDeleter> data;
  u64 size = 0;

  std::span<const u8> view() const { return {data.get(), size}; }
};

class OutputBuffer {
 public:
  explicit OutputBuffer(u64 limit) : limit_(limit) {}

  // Room for at least one more byte, or empty when the limit is reached. Valid until the next call.
  std::span<u8> room() {
    if (used_ == capacity_) grow(std::min(limit_, std::max(kFirst, capacity_ * 2)));
    return {bytes_.get() + used_, capacity_ - used_};
  }
  // Room for `size` bytes, or less when the limit is in the way.
  std::span<u8> room(u64 size) {
    size = std::min(size, limit_ - used_);
    if (capacity_ - used_ < size) grow(std::min(limit_, std::max(used_ + size, capacity_ * 2)));
    return {bytes_.get() + used_, size};
  }
  void advance(u64 written) { used_ += written; }
  UnpackedBytes take() && { return {std::move(bytes_), used_}; }

 private:
  static constexpr u64 kFirst = 256 * kKiB;

  void grow(u64 capacity) {
    auto* moved = static_cast<u8*>(std::realloc(bytes_.release(), std::max<u64>(capacity, 1)));
    CHECK(moved != nullptr);
    bytes_.reset(moved);
    capacity_ = capacity;
  }

  u64 limit_;
  u64 used_ = 0;
  u64 capacity_ = 0;
  std::unique_ptr<u8[], FreeDeleter> bytes_;
};

}  // namespace pileus::machine
