// VirtioPci: a virtio device as a PCI function (virtio 1.2, 4.1, modern only).
//
// One 64-bit memory BAR holds everything:
//   0x0000 common configuration   0x1000 ISR status   0x2000 device configuration
//   0x3000 notifications, 4 bytes for each queue   0x4000 MSI-X table   0x5000 MSI-X pending bits
// There is no INTx: the driver must use MSI-X.
//
// Threads: registers are accessed by vCPU threads; the device works on the I/O thread only. A write
// that activates or resets the device waits for the I/O thread, a notification does not.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"
#include "guest/bus.h"
#include "guest/interrupt.h"
#include "guest/memory.h"
#include "os/event_loop.h"
#include "os/fd.h"
#include "virtio/device.h"
#include "virtio/io_thread.h"
#include "virtio/msix.h"
#include "virtio/pci_function.h"

namespace pileus::virtio {

class VirtioPci final : public PciFunction, private guest::BusDevice, private DriverLink {
 public:
  static constexpr u64 kBarSize = 0x8000;
  static constexpr unsigned kBarIndex = 0;

  // All references must outlive the function. The BAR is put on `mmio` when the guest (or whoever
  // plays firmware) sets its address and turns memory decoding on.
  static Result<std::unique_ptr<VirtioPci>> create(std::unique_ptr<Device> device, guest::GuestMemory& memory,
                                                   guest::Bus& mmio, guest::MsiSink& msi, IoThread& io);
  // No vCPU may be running. Ends the device on the I/O thread.
  ~VirtioPci() override;

  u32 config_read(u16 offset, unsigned size) override;
  void config_write(u16 offset, unsigned size, u32 value) override;

  // Puts the function into its power-on state, except for the BAR's address. Any thread.
  void reset();

  Device& device() { return *device_; }
  // The bits of device_status (virtio 1.2, 2.1). Any thread.
  u8 device_status() const { return status_.load(); }

 private:
  struct QueueState {
    u16 size = 0;
    u16 max_size = 0;
    bool enabled = false;
    u64 descriptors = 0;
    u64 available = 0;
    u64 used = 0;
  };

  VirtioPci(std::unique_ptr<Device> device, guest::GuestMemory& memory, guest::Bus& mmio, guest::MsiSink& msi,
            IoThread& io);
  Result<> watch_queues();
  void add_capabilities();
  void add_virtio_capability(u8 type, u32 offset, u32 length, std::optional<u32> extra);

  // guest::BusDevice: the BAR.
  u64 read(u64 offset, unsigned size) override;
  void write(u64 offset, unsigned size, u64 value) override;
  u64 read_locked(u64 offset, unsigned size);
  void write_locked(u64 offset, unsigned size, u64 value);
  u64 read_common(u64 offset, unsigned size);
  void write_common(u64 offset, unsigned size, u64 value);
  void write_queue_field(u64 offset, unsigned size, u64 value);
  u64 read_device_config(u64 offset, unsigned size) const;
  void write_device_config(u64 offset, unsigned size, u64 value);
  // The window of VIRTIO_PCI_CAP_PCI_CFG (4.1.4.9): reaches the BAR through configuration space.
  bool window(u16 offset, unsigned size, u64* bar_offset, unsigned* width) const;

  void write_status(u8 value);
  void activate();
  void reset_device();
  void notify(u64 queue);
  void on_queue_event(u16 queue);
  void notify_delayed();
  u64 doorbell_of(std::size_t queue) const;  // while mapped
  void move_bar(std::optional<u64> address);
  u64 offered_features() const;

  // DriverLink, from the I/O thread. These take no lock of the vCPU side, which may be waiting.
  void queue_used(u16 queue) override;
  void config_changed() override;
  void needs_reset(const char* reason) override;
  void notify_again(u16 queue) override;
  void notify_later(u16 queue) override;

  std::unique_ptr<Device> device_;
  guest::GuestMemory& memory_;
  guest::Bus& mmio_;
  IoThread& io_;
  std::unique_ptr<os::Timer> later_;  // I/O thread
  u64 later_queues_ = 0;               // I/O thread; bit n: queue n is to be notified then
  std::vector<os::Fd> queue_events_;  // eventfds: the driver, or the kernel for it, says that there is work
  Msix msix_;

  std::mutex mutex_;  // guards what follows up to the atomics
  PciConfigSpace config_;
  std::optional<u64> mapped_;
  u16 msix_capability_ = 0;
  u16 window_capability_ = 0;
  u32 device_feature_select_ = 0;
  u32 driver_feature_select_ = 0;
  u64 driver_features_ = 0;
  u16 queue_select_ = 0;
  std::vector<QueueState> queues_;

  std::atomic<u8> status_ = 0;
  std::atomic<u8> isr_ = 0;
  std::atomic<u8> config_generation_ = 0;
  std::atomic<u16> config_vector_;
  std::vector<std::atomic<u16>> queue_vectors_;
  std::atomic<u64> notified_ = 0;  // bit n: the event of queue n was written and not seen yet
  unsigned complaints_ = 0;        // I/O thread
};

}  // namespace pileus::virtio
