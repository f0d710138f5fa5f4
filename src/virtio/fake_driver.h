// For tests: the driver's side of virtqueues, and a link that remembers what the device said.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "guest/memory.h"
#include "virtio/device.h"
#include "virtio/queue.h"

namespace pileus::virtio::testing {

inline constexpr u16 kNext = 1;
inline constexpr u16 kWrite = 2;
inline constexpr u16 kIndirect = 4;

struct FakeDescriptor {
  u64 address;
  u32 length;
  u16 flags;
  u16 next;
};
static_assert(sizeof(FakeDescriptor) == 16);

struct Used {
  u32 id;
  u32 length;
};

inline guest::GuestMemory make_memory(u64 size = kMiB) {
  return std::move(guest::GuestMemory::create(size, 3 * kGiB)).value();
}

template <typename T>
void poke(guest::GuestMemory& memory, guest::Gpa at, const T& value) {
  CHECK(memory.write(at, std::span<const u8>(reinterpret_cast<const u8*>(&value), sizeof value)));
}

template <typename T>
T peek(const guest::GuestMemory& memory, guest::Gpa at) {
  T value;
  CHECK(memory.read(at, std::span<u8>(reinterpret_cast<u8*>(&value), sizeof value)));
  return value;
}

// One virtqueue in guest RAM: 16 KiB from `base` on are enough for 256 entries.
class FakeQueue {
 public:
  FakeQueue(guest::GuestMemory& memory, guest::Gpa base, u16 size) : memory_(&memory), size_(size), base_(base) {}

  QueueLayout layout(bool event_index = false, bool indirect = false) const {
    return {size_, base_, available(), used(), event_index, indirect};
  }
  guest::Gpa available() const { return base_ + 16 * u64{size_}; }
  guest::Gpa used() const { return align_up(available() + 6 + 2 * u64{size_}, 4); }
  guest::Gpa end() const { return used() + 6 + 8 * u64{size_}; }

  void set_descriptor(u16 index, const FakeDescriptor& descriptor) {
    poke(*memory_, base_ + 16 * u64{index}, descriptor);
  }
  // What was written before is seen by a device that sees the index, on whatever thread it works (2.7.13.3).
  void set_available_index(u16 index) {
    __atomic_store_n(index_at(available()), index, __ATOMIC_RELEASE);
    memory_->written(available() + kIndex, sizeof index);
  }
  void set_available_flags(u16 flags) { poke(*memory_, available(), flags); }
  void set_used_event(u16 event) { poke(*memory_, available() + 4 + 2 * u64{size_}, event); }
  u16 available_event() const { return peek<u16>(*memory_, used() + 4 + 8 * u64{size_}); }
  u16 used_index() const { return __atomic_load_n(index_at(used()), __ATOMIC_ACQUIRE); }

  void make_available(u16 head) {
    poke(*memory_, available() + 4 + 2 * u64{static_cast<u16>(next_available_ % size_)}, head);
    set_available_index(++next_available_);
  }

  struct Piece {
    guest::Gpa address;
    u32 length;
    bool writable;
  };
  // Puts a chain into the next descriptors and makes it available; returns its head.
  u16 add(const std::vector<Piece>& pieces) {
    const u16 head = static_cast<u16>(next_descriptor_ % size_);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const u16 index = static_cast<u16>(next_descriptor_++ % size_);
      const bool last = i + 1 == pieces.size();
      const u16 flags = static_cast<u16>((pieces[i].writable ? kWrite : 0) | (last ? 0 : kNext));
      set_descriptor(index, {pieces[i].address, pieces[i].length, flags, static_cast<u16>(next_descriptor_ % size_)});
    }
    make_available(head);
    return head;
  }

  std::optional<Used> take_used() {
    if (used_index() == next_used_) return std::nullopt;
    return peek<Used>(*memory_, used() + 4 + 8 * u64{static_cast<u16>(next_used_++ % size_)});
  }

 private:
  static constexpr u64 kIndex = 2;  // in both rings

  u16* index_at(guest::Gpa ring) const {
    u8* at = memory_->host(ring + kIndex, sizeof(u16));
    CHECK(at != nullptr);
    return static_cast<u16*>(static_cast<void*>(at));
  }

  guest::GuestMemory* memory_;
  u16 size_;
  guest::Gpa base_;
  u16 next_available_ = 0;
  u16 next_used_ = 0;
  u16 next_descriptor_ = 0;
};

class FakeLink : public DriverLink {
 public:
  void queue_used(u16 queue) override { used.push_back(queue); }
  void config_changed() override { ++config_changes; }
  void needs_reset(const char* why) override { reset_reason = why; }
  void notify_again(u16 queue) override { again.push_back(queue); }
  void notify_later(u16 queue) override { later.push_back(queue); }

  std::vector<u16> used;
  std::vector<u16> again;
  std::vector<u16> later;
  std::string reset_reason;
  int config_changes = 0;
};

// A device with `queues` enabled, as after DRIVER_OK, but without a transport.
class FakeDriver {
 public:
  static constexpr guest::Gpa kQueuesAt = 0x10000;
  static constexpr guest::Gpa kBuffersAt = 0x40000;

  explicit FakeDriver(Device& device, std::optional<u64> features = std::nullopt, bool event_index = false)
      : memory(make_memory()), device_(device) {
    Activation activation;
    activation.features = features.value_or(device.features());
    activation.memory = &memory;
    activation.driver = &link;
    guest::Gpa at = kQueuesAt;
    for (const u16 size : device.queue_sizes()) {
      queues.emplace_back(memory, at, size);
      activation.queues.emplace_back(memory, queues.back().layout(event_index, true));
      at += 0x4000;
    }
    device_.activate(std::move(activation));
  }
  ~FakeDriver() { device_.reset(); }
  FakeDriver(const FakeDriver&) = delete;
  FakeDriver& operator=(const FakeDriver&) = delete;

  void put(guest::Gpa at, std::span<const u8> bytes) { CHECK(memory.write(at, bytes)); }
  std::vector<u8> get(guest::Gpa at, u64 length) const {
    std::vector<u8> bytes(length);
    CHECK(memory.read(at, bytes));
    return bytes;
  }

  guest::GuestMemory memory;
  FakeLink link;
  std::vector<FakeQueue> queues;

 private:
  Device& device_;
};

}  // namespace pileus::virtio::testing
