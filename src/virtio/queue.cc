#include "virtio/queue.h"

#include <atomic>
#include <bit>
#include <cstring>

namespace pileus::virtio {

// Virtio 1.2, 2.7.5.
struct Queue::Descriptor {
  u64 address;
  u32 length;
  u16 flags;
  u16 next;
};

namespace {

constexpr u16 kDescNext = 1;
constexpr u16 kDescWrite = 2;
constexpr u16 kDescIndirect = 4;
constexpr u16 kAvailNoInterrupt = 1;
constexpr u64 kDescriptorBytes = 16;

// Offsets in the rings: flags, index, entries, event (2.7.6 and 2.7.8).
constexpr u64 kRingIndex = 2;
constexpr u64 kRingEntries = 4;
constexpr u64 kAvailEntryBytes = 2;
constexpr u64 kUsedEntryBytes = 8;

// Copies out of memory that the guest may change meanwhile. The fence keeps the compiler from
// reading the source a second time later.
template <typename T>
T copy_once(const u8* source) {
  T value;
  std::memcpy(&value, source, sizeof value);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return value;
}

const u16* as_u16(const u8* bytes) { return static_cast<const u16*>(static_cast<const void*>(bytes)); }
u16* as_u16(u8* bytes) { return static_cast<u16*>(static_cast<void*>(bytes)); }

// Sequentially consistent: where the driver and we each write one index and then read the other's
// (2.7.7.1, 2.7.10.1), at least one of us must see the other's write.
u16 load(const u8* at) { return __atomic_load_n(as_u16(at), __ATOMIC_SEQ_CST); }
void store(u8* at, u16 value) { __atomic_store_n(as_u16(at), value, __ATOMIC_SEQ_CST); }

}  // namespace

bool Chain::read(u64 offset, std::span<u8> out) const {
  if (offset > readable_bytes || out.size() > readable_bytes - offset) return false;
  u8* target = out.data();
  return visit_range(readable, offset, out.size(), [&](std::span<u8> piece) {
    std::memcpy(target, piece.data(), piece.size());
    std::atomic_signal_fence(std::memory_order_seq_cst);
    target += piece.size();
    return true;
  });
}

bool Chain::write(u64 offset, std::span<const u8> data) const {
  if (offset > writable_bytes || data.size() > writable_bytes - offset) return false;
  const u8* source = data.data();
  return visit_range(writable, offset, data.size(), [&](std::span<u8> piece) {
    std::memcpy(piece.data(), source, piece.size());
    source += piece.size();
    return true;
  });
}

Queue::Queue(guest::GuestMemory& memory, const QueueLayout& layout) : memory_(&memory), layout_(layout) {
  static_assert(sizeof(Descriptor) == kDescriptorBytes);
  const u64 size = layout.size;
  if (!std::has_single_bit(size) || size > kMaxQueueSize) {
    fail("the queue's size is not a power of two up to 1024");
    return;
  }
  if (layout.descriptors % 16 != 0 || layout.available % 2 != 0 || layout.used % 4 != 0) {
    fail("a part of the queue is misaligned");
    return;
  }
  descriptors_ = memory.host(layout.descriptors, kDescriptorBytes * size);
  available_ = memory.host(layout.available, kRingEntries + kAvailEntryBytes * size + 2);
  used_ = memory.host(layout.used, kRingEntries + kUsedEntryBytes * size + 2);
  if (descriptors_ == nullptr || available_ == nullptr || used_ == nullptr) {
    fail("a part of the queue is not in RAM");
  }
}

void Queue::fail(const char* reason) {
  if (broken_ == nullptr) broken_ = reason;
}

// True when there is an entry to take. Else the driver was told to notify the next one, and had
// still added none after that.
bool Queue::available_or_armed() {
  if (next_available_ != seen_available_) return true;
  seen_available_ = load(available_ + kRingIndex);
  if (next_available_ == seen_available_ && layout_.event_index) {
    // avail_event, behind the used ring: notify when entry `next_available_` is added (2.7.10).
    const u64 event = kRingEntries + kUsedEntryBytes * layout_.size;
    store(used_ + event, next_available_);
    memory_->written(layout_.used + event, 2);
    seen_available_ = load(available_ + kRingIndex);
  }
  const u16 waiting = static_cast<u16>(seen_available_ - next_available_);
  if (waiting > layout_.size) fail("the driver made more buffers available than the queue holds");
  return waiting != 0;
}

bool Queue::pop(Chain& chain) {
  if (!enabled() || broken() || !available_or_armed() || broken()) return false;
  const u64 slot = next_available_ & (layout_.size - 1);
  const u16 head = copy_once<u16>(available_ + kRingEntries + kAvailEntryBytes * slot);
  chain.head = head;
  chain.readable.clear();
  chain.writable.clear();
  chain.readable_bytes = 0;
  chain.writable_bytes = 0;
  if (head >= layout_.size) {
    fail("the available ring names a descriptor beyond the table");
    return false;
  }
  if (!walk(head, chain)) return false;
  ++next_available_;
  return true;
}

void Queue::unpop(u16 count) { next_available_ = static_cast<u16>(next_available_ - count); }

bool Queue::walk(u16 head, Chain& chain) {
  u32 budget = kMaxChainLength;
  return walk_table(descriptors_, layout_.size, head, false, budget, chain);
}

// Follows a chain through a table of `entries` descriptors. A chain that is longer than its table
// runs in a loop; `budget` bounds all tables together.
bool Queue::walk_table(const u8* table, u32 entries, u32 index, bool in_indirect, u32& budget, Chain& chain) {
  for (u32 steps = 0; steps < entries; ++steps) {
    const auto descriptor = copy_once<Descriptor>(table + kDescriptorBytes * index);
    if ((descriptor.flags & kDescIndirect) != 0) {
      // Only as the last of a chain, and not inside another (2.7.5.3).
      if (!layout_.indirect || in_indirect || (descriptor.flags & kDescNext) != 0) {
        fail("an indirect descriptor is not allowed here");
        return false;
      }
      const u8* inner = memory_->host(descriptor.address, descriptor.length);
      if (descriptor.length == 0 || descriptor.length % kDescriptorBytes != 0 || inner == nullptr) {
        fail("an indirect table is empty, of odd length or not in RAM");
        return false;
      }
      const u32 inner_entries = descriptor.length / static_cast<u32>(kDescriptorBytes);
      return walk_table(inner, inner_entries, 0, true, budget, chain);
    }
    if (budget == 0) {
      fail("a descriptor chain is too long");
      return false;
    }
    --budget;
    if (!add_segment(descriptor, chain)) return false;
    if ((descriptor.flags & kDescNext) == 0) return true;
    index = descriptor.next;
    if (index >= entries) {
      fail("a descriptor names a next one beyond the table");
      return false;
    }
  }
  fail("a descriptor chain runs in a loop");
  return false;
}

bool Queue::add_segment(const Descriptor& descriptor, Chain& chain) {
  const auto bytes = memory_->span(descriptor.address, descriptor.length);
  if (descriptor.length == 0 || !bytes) {
    fail("a descriptor is empty or not in RAM");
    return false;
  }
  // All of a chain is at most 4 GiB (2.7.5), so that `written` of push() can count it.
  if (chain.readable_bytes + chain.writable_bytes + descriptor.length > ~u32{0}) {
    fail("a descriptor chain is longer than 4 GiB");
    return false;
  }
  if ((descriptor.flags & kDescWrite) != 0) {
    chain.writable.push_back({descriptor.address, *bytes});
    chain.writable_bytes += descriptor.length;
    return true;
  }
  if (!chain.writable.empty()) {
    fail("a readable descriptor follows a writable one");  // 2.7.4.2
    return false;
  }
  chain.readable.push_back({descriptor.address, *bytes});
  chain.readable_bytes += descriptor.length;
  return true;
}

void Queue::push(const Chain& chain, u32 written) {
  if (!enabled() || broken()) return;
  u64 left = written;
  for (const Segment& segment : chain.writable) {
    if (left == 0) break;
    const u64 length = std::min<u64>(left, segment.bytes.size());
    memory_->written(segment.address, length);
    left -= length;
  }
  const u64 slot = next_used_ & (layout_.size - 1);
  const u64 at = kRingEntries + kUsedEntryBytes * slot;
  const struct {
    u32 id;
    u32 length;
  } entry = {chain.head, written};
  static_assert(sizeof entry == kUsedEntryBytes);
  std::memcpy(used_ + at, &entry, sizeof entry);
  memory_->written(layout_.used + at, sizeof entry);
  ++next_used_;
}

bool Queue::publish() {
  if (!enabled() || broken() || next_used_ == published_used_) return false;
  const u16 before = published_used_;
  published_used_ = next_used_;
  store(used_ + kRingIndex, next_used_);
  memory_->written(layout_.used + kRingIndex, 2);
  if (!layout_.event_index) return (load(available_) & kAvailNoInterrupt) == 0;
  const u16 event = load(available_ + kRingEntries + kAvailEntryBytes * layout_.size);
  return static_cast<u16>(next_used_ - event - 1) < static_cast<u16>(next_used_ - before);
}

}  // namespace pileus::virtio
