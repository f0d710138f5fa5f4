// Transfer: the guest's memory that a command reads or writes, as its table of physical regions names it (AHCI 1.3.1, 4.2.3.3).
//
// The table is the guest's: entries are copied once and checked. What they name stays RAM, but the guest may change it at
// any time.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "base/ints.h"
#include "guest/memory.h"
#include "virtio/queue.h"

namespace pileus::ahci {

class Transfer {
 public:
  // No command moves more: 65,536 sectors. What a table names beyond that is not looked at.
  static constexpr u64 kMaxBytes = 32 * kMiB;

  // Nothing when the table or what it names is not all RAM.
  static std::optional<Transfer> read(guest::GuestMemory& memory, guest::Gpa table, u32 entries);

  u64 capacity() const { return capacity_; }

  // Calls fill(std::span<u8>) for the first `length` bytes, piece by piece, until one returns false. False then, and when the
  // guest has given less memory.
  template <typename Fill>
  bool fill(u64 length, Fill&& fill) {
    if (length > capacity_) return false;
    for (const virtio::Segment& segment : segments_) {
      if (length == 0) break;
      const std::span<u8> piece = segment.bytes.first(std::min<u64>(segment.bytes.size(), length));
      const bool filled = fill(piece);
      memory_->written(segment.address, piece.size());
      if (!filled) return false;
      length -= piece.size();
    }
    return true;
  }
  // The same for take(std::span<const u8>), which reads.
  template <typename Take>
  bool take(u64 length, Take&& take) const {
    return length <= capacity_ && virtio::visit_range(segments_, 0, length, take);
  }
  bool put(std::span<const u8> bytes);
  bool get(std::span<u8> out) const;

 private:
  explicit Transfer(guest::GuestMemory& memory) : memory_(&memory) {}

  guest::GuestMemory* memory_;
  std::vector<virtio::Segment> segments_;
  u64 capacity_ = 0;
};

}  // namespace pileus::ahci
