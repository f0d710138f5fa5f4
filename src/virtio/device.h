// Device: a virtio device that knows no transport (virtio 1.2, 2 and 5).
//
// Threads: identity, features and config space are read on vCPU threads, at any time; activate(),
// reset(), notify() and the destructor run on the device's I/O thread (or while it does not run).
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/ints.h"
#include "guest/memory.h"
#include "virtio/queue.h"

namespace pileus::virtio {

// Virtio 1.2, 5.
enum class DeviceId : u16 { kNet = 1, kBlock = 2, kConsole = 3, kEntropy = 4, kScsi = 8 };

// Feature bits of every device (virtio 1.2, 6).
inline constexpr u64 kFeatureIndirect = u64{1} << 28;
inline constexpr u64 kFeatureEventIndex = u64{1} << 29;
inline constexpr u64 kFeatureVersion1 = u64{1} << 32;

// How a device reaches its driver; implemented by the transport. Any thread.
class DriverLink {
 public:
  virtual ~DriverLink() = default;
  virtual void queue_used(u16 queue) = 0;
  virtual void config_changed() = 0;
  // Sets DEVICE_NEEDS_RESET (virtio 1.2, 2.1.2): the driver broke the rules. `reason` is for the
  // log.
  virtual void needs_reset(const char* reason) = 0;
  // Calls Device::notify(queue) again, after others had their turn.
  virtual void notify_again(u16 queue) = 0;
  // The same in about a second.
  virtual void notify_later(u16 queue) = 0;
};

// What a device gets to work with between activate() and reset().
struct Activation {
  u64 features = 0;  // negotiated
  guest::GuestMemory* memory = nullptr;
  std::vector<Queue> queues;  // one for each of Device::queue_sizes()
  DriverLink* driver = nullptr;

  bool has(u64 feature) const { return (features & feature) != 0; }
  // After pushes to queue `index`: publishes them, notifies the driver if it wants that, and asks
  // for a reset when the queue is broken.
  void finish(u16 index) {
    if (queues[index].publish()) driver->queue_used(index);
    if (queues[index].broken()) driver->needs_reset(queues[index].broken_reason());
  }

  // Pops the chains of queue `index` into `chain`, one after the other, and returns each with as
  // many bytes as handle(chain) says it wrote, or keeps it when that says nothing. Bounded, because a hostile driver can keep
  // a queue from ever becoming empty, if need be by laying its rings over its buffers.
  template <typename Handle>
  void serve(u16 index, Chain& chain, Handle&& handle) {
    Queue& queue = queues[index];
    for (unsigned left = kServeBatch; left > 0; --left) {
      if (!queue.pop(chain)) return finish(index);
      const std::optional<u32> written = handle(chain);
      if (!written) continue;
      queue.push(chain, *written);
      finish(index);
    }
    driver->notify_again(index);
  }

  static constexpr unsigned kServeBatch = 256;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceId id() const = 0;
  // The device's own feature bits. The transport adds those of queues and VERSION_1.
  virtual u64 features() const = 0;
  // Largest size of each queue, a power of two.
  virtual std::span<const u16> queue_sizes() const = 0;

  // Little-endian config space. Bytes beyond its end read as zero; writes to them are ignored.
  virtual void read_config(u32 offset, std::span<u8> out) const = 0;
  virtual void write_config(u32 offset, std::span<const u8> data) = 0;

  // The driver is ready (DRIVER_OK).
  virtual void activate(Activation activation) = 0;
  // Forget the driver. After this returns, guest memory is not touched.
  virtual void reset() = 0;
  // The driver put something into queue `queue`. May come too often, and for a queue not enabled.
  virtual void notify(u16 queue) = 0;
};

// For read_config(): bytes of `config` from `offset`, zero beyond its end.
inline void copy_config(std::span<const u8> config, u32 offset, std::span<u8> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = offset + i < config.size() ? config[offset + i] : u8{0};
  }
}

}  // namespace pileus::virtio
