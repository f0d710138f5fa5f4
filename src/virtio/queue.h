// Queue: the device's side of one split virtqueue (virtio 1.2, 2.7).
//
// The rings and descriptors are in guest RAM and hostile: every index and descriptor is copied
// once, then validated. A queue that breaks the rules is `broken()` until the device is reset; the
// device then asks the driver for a reset. Nothing else is harmed.
//
// Not thread-safe: a queue belongs to the device's I/O thread. The GuestMemory must outlive it.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "base/ints.h"
#include "guest/memory.h"

namespace pileus::virtio {

inline constexpr u16 kMaxQueueSize = 1024;
// Most descriptors of one chain, indirect ones included.
inline constexpr u32 kMaxChainLength = 1024;

// One piece of guest RAM that a descriptor names; never empty.
struct Segment {
  guest::Gpa address;
  std::span<u8> bytes;
};

// A request: what the device may read, and what it may write. The spans stay valid as long as the
// GuestMemory, but the guest may change the bytes at any time: copy once, then validate.
struct Chain {
  u16 head = 0;
  std::vector<Segment> readable;
  std::vector<Segment> writable;
  u64 readable_bytes = 0;
  u64 writable_bytes = 0;

  // Copy bytes from `offset` of the readable part, or to `offset` of the writable part. False, and
  // nothing is done, when the part is shorter than that. Queue::push() reports writes to the
  // engine.
  [[nodiscard]] bool read(u64 offset, std::span<u8> out) const;
  [[nodiscard]] bool write(u64 offset, std::span<const u8> data) const;
};

// Calls visit(std::span<u8>) for the pieces of [offset, offset + length) of `segments`, in order,
// until one returns false. False then, and when the segments are shorter than that.
template <typename Visit>
bool visit_range(const std::vector<Segment>& segments, u64 offset, u64 length, Visit&& visit) {
  for (const Segment& segment : segments) {
    if (length == 0) break;
    if (offset >= segment.bytes.size()) {
      offset -= segment.bytes.size();
      continue;
    }
    const std::span<u8> rest = segment.bytes.subspan(offset);
    const std::span<u8> piece = rest.first(std::min<u64>(rest.size(), length));
    if (!visit(piece)) return false;
    length -= piece.size();
    offset = 0;
  }
  return length == 0;
}

// What the driver set up, and what was negotiated.
struct QueueLayout {
  u16 size = 0;                // entries: a power of two, at most kMaxQueueSize
  guest::Gpa descriptors = 0;  // 16-byte aligned
  guest::Gpa available = 0;    // 2-byte aligned; written by the driver
  guest::Gpa used = 0;         // 4-byte aligned; written by the device
  bool event_index = false;    // VIRTIO_F_EVENT_IDX
  bool indirect = false;       // VIRTIO_F_INDIRECT_DESC
};

class Queue {
 public:
  // A queue that the driver did not enable: always empty.
  Queue() = default;
  // A layout that is misaligned or not all RAM gives a broken queue.
  Queue(guest::GuestMemory& memory, const QueueLayout& layout);

  // Takes the next available chain into `chain`, whose storage is reused. False when there is none
  // or the queue is broken. After false the driver will notify when it adds one (2.7.10).
  [[nodiscard]] bool pop(Chain& chain);
  // Gives the last `count` popped chains back, to be popped again. They must not have been pushed.
  void unpop(u16 count);

  // Returns a chain to the driver, which sees it after publish(). `written` is how many bytes, from
  // the start of the writable part, the device wrote.
  void push(const Chain& chain, u32 written);
  // Makes pushed chains visible, all at once. True when the driver wants a notification (2.7.7).
  [[nodiscard]] bool publish();

  bool enabled() const { return memory_ != nullptr; }
  bool broken() const { return broken_ != nullptr; }
  // Why, or nullptr.
  const char* broken_reason() const { return broken_; }
  // Declares the driver's use of the queue broken. `reason` must be a literal.
  void fail(const char* reason);

 private:
  struct Descriptor;

  bool available_or_armed();
  bool walk(u16 head, Chain& chain);
  bool walk_table(const u8* table, u32 entries, u32 index, bool in_indirect, u32& budget, Chain& chain);
  bool add_segment(const Descriptor& descriptor, Chain& chain);

  guest::GuestMemory* memory_ = nullptr;
  QueueLayout layout_;
  const u8* descriptors_ = nullptr;
  const u8* available_ = nullptr;
  u8* used_ = nullptr;
  const char* broken_ = nullptr;
  u16 next_available_ = 0;  // the next entry of the available ring to take
  u16 seen_available_ = 0;  // the driver's index when last read
  u16 next_used_ = 0;       // the next entry of the used ring to fill
  u16 published_used_ = 0;  // what the driver was told
};

}  // namespace pileus::virtio
