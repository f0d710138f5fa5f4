// KvmDirtyLog: the dirty log by KVM's bitmap or by its rings.
//
// The bitmap costs as much as RAM is large each time it is read. A ring, one for each vCPU, has an entry for each page
// that became dirty; a full one makes its vCPU leave the guest (KVM_EXIT_DIRTY_RING_FULL) until it is emptied. Rings have
// to be chosen before there are vCPUs, and take the bitmap's place.
//
// KVM keeps some entries back for what a vCPU writes before it can leave. Where KVM emulates, that may be more: KVM then
// overwrites entries and says so in its own log alone. Here it shows as a ring with no entry free. Such a log is given up
// for good, and collect() says so: nothing is lost unnoticed.
//
// What KVM does not see, the writes of devices, comes as a WriteObserver.
#pragma once

#include <linux/kvm.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/dirty_log.h"
#include "engine/engine.h"
#include "engine/kvm/device.h"
#include "guest/memory.h"
#include "os/mapping.h"

namespace pileus::engine::kvm {

class KvmDirtyLog final : public DirtyLog, public guest::WriteObserver {
 public:
  // Before vCPUs are created.
  static Result<std::unique_ptr<KvmDirtyLog>> create(int vm_fd, const Device& device, guest::GuestMemory& memory,
                                                     KvmDirtyMode mode);
  ~KvmDirtyLog() override { memory_.set_observer(nullptr); }

  bool has_rings() const { return ring_entries_ != 0; }
  // Before it runs.
  Result<> add_vcpu(int vcpu_fd);
  // On the thread of a vCPU that left the guest because its ring was full.
  Result<> empty_rings();

  Result<> start() override;
  Result<> stop() override;
  Result<> collect(PageBitmap* pages) override;
  void on_device_write(guest::Gpa address, u64 length) override;

 private:
  struct Ring {
    os::Mapping mapping;
    u64 next = 0;  // counts entries taken
  };

  KvmDirtyLog(int vm_fd, guest::GuestMemory& memory, u32 ring_entries);
  Result<> set_logging(bool on);
  Result<> read_bitmaps();  // under mutex_
  Result<> read_rings();  // under mutex_
  bool read_ring(Ring& ring);  // under mutex_; false: it ran over
  void mark(u32 slot, u64 page_of_slot);  // under mutex_
  u64 first_page(u32 slot) const;
  u64 words() const { return (memory_.size() / kPage + 63) / 64; }

  static constexpr u64 kPage = 4096;
  const int vm_fd_;
  guest::GuestMemory& memory_;
  const u32 ring_entries_;  // of each; 0: the bitmap is used
  std::atomic<bool> active_{false};
  std::unique_ptr<std::atomic<u64>[]> by_devices_;

  std::mutex mutex_;
  std::vector<Ring> rings_;  // guarded by mutex_
  PageBitmap by_vcpus_;  // guarded by mutex_
  bool ran_over_ = false;  // guarded by mutex_
};

}  // namespace pileus::engine::kvm
