#include "virtio/queue_fuzz.h"

#include <cstring>

#include "guest/memory.h"
#include "virtio/queue.h"

namespace pileus::virtio {

namespace {

constexpr u64 kRamBytes = 64 * kKiB;
// More than the ring can hold even when the driver's index is nonsense.
constexpr int kMaxPops = 2 * kMaxQueueSize;
// Touched bytes, so that chains of overlapping segments do not make one input take seconds.
constexpr u64 kMaxTouched = 16 * kMiB;

struct Header {
  u16 size_log2;
  u16 features;
  u16 descriptors;
  u16 available;
  u16 used;
};
static_assert(sizeof(Header) == 10);

u64 touch(const Chain& chain) {
  u64 sum = 0;
  for (const Segment& segment : chain.readable) {
    for (const u8 byte : segment.bytes) sum += byte;
  }
  for (const Segment& segment : chain.writable) {
    std::memset(segment.bytes.data(), static_cast<int>(sum & 0xFF), segment.bytes.size());
  }
  return chain.readable_bytes + chain.writable_bytes;
}

}  // namespace

void fuzz_queue(std::span<const u8> input) {
  Header header{};
  if (input.size() < sizeof header) return;
  std::memcpy(&header, input.data(), sizeof header);
  const std::span<const u8> ram = input.subspan(sizeof header);
  auto memory = guest::GuestMemory::create(kRamBytes, kGiB);
  if (!memory.ok() || !memory->write(0, ram.first(std::min<u64>(ram.size(), kRamBytes)))) return;

  QueueLayout layout;
  layout.size = static_cast<u16>(1U << (header.size_log2 % 12));
  layout.descriptors = header.descriptors;
  layout.available = header.available;
  layout.used = header.used;
  layout.event_index = (header.features & 1) != 0;
  layout.indirect = (header.features & 2) != 0;
  // Most inputs should get past the first check.
  if ((header.features & 4) == 0) {
    layout.descriptors = align_down(layout.descriptors, 16);
    layout.available = align_down(layout.available, 2);
    layout.used = align_down(layout.used, 4);
  }

  Queue queue(*memory, layout);
  Chain chain;
  u64 touched = 0;
  for (int pops = 0; pops < kMaxPops && touched < kMaxTouched && queue.pop(chain); ++pops) {
    touched += touch(chain);
    queue.push(chain, static_cast<u32>(chain.writable_bytes));
    static_cast<void>(queue.publish());
  }
}

}  // namespace pileus::virtio
