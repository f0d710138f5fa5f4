// BlockBackend: the bytes of a virtual disk.
//
// Offsets and lengths are bytes. A range that leaves [0, size()) is kInvalid. Calls block and come
// from one thread at a time.
#pragma once

#include <span>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::virtio {

class BlockBackend {
 public:
  virtual ~BlockBackend() = default;
  virtual u64 size() const = 0;
  virtual bool read_only() const = 0;

  // The first place from `offset` on, which is inside, that may read as something else than zero; size() when there is none.
  virtual u64 next_data(u64 offset) { return offset; }
  virtual Result<> read(u64 offset, std::span<u8> out) = 0;
  // Durable only after a later flush() succeeded. kExhausted, of all that changes: there is no room for it just now; it may be
  // tried again as a whole.
  virtual Result<> write(u64 offset, std::span<const u8> data) = 0;
  virtual Result<> flush() = 0;
  // The bytes are not needed any more; what they read as afterwards is unspecified.
  virtual Result<> discard(u64 offset, u64 length) = 0;
  virtual Result<> write_zeroes(u64 offset, u64 length) = 0;
};

// kInvalid unless [offset, offset + length) is inside `size` bytes.
Result<> check_range(u64 offset, u64 length, u64 size);

}  // namespace pileus::virtio
