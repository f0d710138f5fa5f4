// Adapter: an AHCI 1.3.1 host bus adapter as a PCI function: ports for SATA disks and CD drives.
//
// Threads: registers are accessed by vCPU threads, which never wait for a command; the ports' work is done on the I/O thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "ahci/msi.h"
#include "ahci/port.h"
#include "base/result.h"
#include "guest/bus.h"
#include "guest/interrupt.h"
#include "os/event_loop.h"
#include "os/fd.h"
#include "virtio/io_thread.h"
#include "virtio/pci_function.h"

namespace pileus::ahci {

class Adapter final : public virtio::PciFunction, private guest::BusDevice {
 public:
  static constexpr unsigned kBarIndex = 5;
  static constexpr u64 kBarSize = 0x2000;

  // What it is wired to; all must outlive it.
  struct Wiring {
    guest::GuestMemory& memory;
    guest::Bus& mmio;
    guest::MsiSink& msi;
    guest::InterruptLine* line = nullptr;  // INTA#, as long as the driver has not turned on messages; may be null
    virtio::IoThread& io;
  };

  // 1 to 32 ports, with nothing in them. The BAR is put on the bus when the guest has set its address.
  static Result<std::unique_ptr<Adapter>> create(const Wiring& wiring, u32 ports);
  // No vCPU may be running. Ends the devices on the I/O thread.
  ~Adapter() override;

  // Any thread. The driver is told by the port.
  void plug(u32 port, std::unique_ptr<Device> device);
  // The device ends on the I/O thread before this returns: to the guest, a cable that was pulled.
  void unplug(u32 port);
  u32 port_count() const { return static_cast<u32>(ports_.size()); }

  u32 config_read(u16 offset, unsigned size) override;
  void config_write(u16 offset, unsigned size, u32 value) override;
  // The power-on state, except for the BAR's address. No vCPU may be running.
  void reset();

 private:
  Adapter(const Wiring& wiring, u32 ports);
  Result<> watch();

  // guest::BusDevice: the BAR, whose registers have 32 bits.
  u64 read(u64 offset, unsigned size) override;
  void write(u64 offset, unsigned size, u64 value) override;
  // These with the lock held.
  u32 read_register(u64 offset) const;
  bool write_register(u64 offset, u32 value);
  void update_interrupts();
  void move_bar(std::optional<u64> address);

  void wake();
  // On the I/O thread.
  void work();
  void work(Port& port);
  void reset_if_asked();
  void retry_kept();

  const Wiring wiring_;
  os::Fd event_;  // the I/O thread has something to do
  std::unique_ptr<os::Timer> later_;  // I/O thread; commands wait for room
  bool retrying_ = false;  // I/O thread; it is armed
  std::atomic<bool> woken_ = false;

  std::mutex mutex_;  // guards what follows; of the ports, what they say
  virtio::PciConfigSpace config_;
  Msi msi_;
  std::optional<u64> mapped_;
  std::vector<std::unique_ptr<Port>> ports_;
  u32 control_ = kGhcAhci;
  u32 status_ = 0;  // a bit for each port that interrupts
  u32 told_ = 0;  // of these: the driver was sent a message
};

}  // namespace pileus::ahci
