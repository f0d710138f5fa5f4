// Bus: which device answers at which address. One Bus for memory-mapped I/O, one for ports.
//
// Ranges are added before the first vCPU runs, or under the caller's own exclusion (PCI BARs move while the guest
// configures them; the Bus takes its lock for every call). Handlers run on the accessing vCPU's thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <shared_mutex>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::guest {

class BusDevice {
 public:
  virtual ~BusDevice() = default;
  // `offset` is from the start of the device's range; `size` is 1, 2, 4 or 8. The access never leaves the range.
  virtual u64 read(u64 offset, unsigned size) = 0;
  virtual void write(u64 offset, unsigned size, u64 value) = 0;
};

// Told of doorbells: places on a bus where a write says "look" and nothing else, whatever its value and size. Who can see
// such writes outside of the VMM (the host's kernel) may write 1 to the eventfd `event` instead of handing the write to
// the bus. Called under the bus's lock: must not call it.
class DoorbellWatcher {
 public:
  virtual ~DoorbellWatcher() = default;
  virtual void on_doorbell_added(u64 address, int event) = 0;
  virtual void on_doorbell_removed(u64 address, int event) = 0;
};

class Bus {
 public:
  // `name` stands in the log.
  explicit Bus(const char* name = "bus") : name_(name) {}

  // The device must outlive the range. Refused when it overlaps another range.
  Result<> add(u64 base, u64 length, BusDevice* device);
  void remove(u64 base);

  // A doorbell within the range of a device, whose write() does the same. `event` must be open until it is removed.
  void add_doorbell(u64 address, int event);
  void remove_doorbell(u64 address);
  // One watcher, told of the doorbells that are there and of later ones; null: none any more.
  void watch_doorbells(DoorbellWatcher* watcher);

  // An address without a device reads as all ones and swallows writes, as on a PC; returns false then.
  bool read(u64 address, unsigned size, u64* value);
  bool write(u64 address, unsigned size, u64 value);
  // Accesses to addresses without a device so far. The log tells of them when they are many.
  u64 unclaimed() const { return unclaimed_.load(std::memory_order_relaxed); }

 private:
  struct Range {
    u64 length;
    BusDevice* device;
  };
  void count_unclaimed(u64 address);
  BusDevice* device_at(u64 address, unsigned size, u64* offset);
  const Range* find(u64 address, unsigned size, u64* offset) const;

  const char* name_;
  std::atomic<u64> unclaimed_{0};
  mutable std::shared_mutex mutex_;
  std::map<u64, Range> ranges_;  // by base; guarded by mutex_
  std::map<u64, int> doorbells_;  // address to event; guarded by mutex_
  DoorbellWatcher* watcher_ = nullptr;  // guarded by mutex_
};

}  // namespace pileus::guest
