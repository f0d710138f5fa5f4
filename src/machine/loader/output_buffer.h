// OutputBuffer: where a decompressor writes. It is address space for all that is allowed, which costs memory only as far
// as it is written; so nothing is copied when more comes than was thought.
#pragma once

#include <algorithm>
#include <span>
#include <utility>

#include "base/ints.h"
#include "base/result.h"
#include "os/mapping.h"

namespace pileus::machine {

// What an OutputBuffer leaves.
struct UnpackedBytes {
  os::Mapping memory;
  u64 size = 0;

  std::span<const u8> view() const { return {memory.data(), size}; }
};

class OutputBuffer {
 public:
  // For at most `limit` bytes.
  static Result<OutputBuffer> create(u64 limit) {
    os::Mapping memory = TRY(os::Mapping::anonymous(align_up(std::max<u64>(limit, 1), 4096)).with("unpack"));
    return OutputBuffer(std::move(memory), limit);
  }

  // Room for at least one more byte, or empty when the limit is reached.
  std::span<u8> room() const { return {memory_.data() + used_, limit_ - used_}; }
  // Room for `size` bytes, or less when the limit is in the way.
  std::span<u8> room(u64 size) const { return room().first(std::min(size, limit_ - used_)); }
  void advance(u64 written) { used_ += written; }
  UnpackedBytes take() && { return {std::move(memory_), used_}; }

 private:
  OutputBuffer(os::Mapping memory, u64 limit) : memory_(std::move(memory)), limit_(limit) {}

  os::Mapping memory_;
  u64 limit_;
  u64 used_ = 0;
};

}  // namespace pileus::machine
