// PciBus: the one PCI bus of the board, bus 0 behind a host bridge, and the two ways to its
// configuration space: ECAM (PCI Express 3.0, 7.2.2) and the ports 0xCF8/0xCFC
// (PCI 3.0, 3.2.2.3.2), in between which PCs have their reset control register (Intel ICH10, 13.7.5).
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

#include "guest/bus.h"
#include "virtio/pci_function.h"

namespace pileus::machine {

class PciBus {
 public:
  static constexpr unsigned kDevices = 32;

  // `reset` is what the reset control register asks for; called on a vCPU's thread, must return soon.
  explicit PciBus(std::function<void()> reset);
  // Device `number` (1..31; 0 is the host bridge), function 0. Any thread.
  void attach(unsigned number, virtio::PciFunction& function) { functions_[number] = &function; }
  // The guest does not see it any more. A vCPU may still be in it: it lives until all stood still.
  void detach(unsigned number) { functions_[number] = nullptr; }

  // The host bridge says that the board is QEMU's, by its subsystem: SeaBIOS asks FwCfg only there. Before any vCPU runs.
  void pose_as_qemu() { bridge_.pose_as_qemu(); }

  guest::BusDevice& ecam() { return ecam_; }
  guest::BusDevice& ports() { return ports_; }  // 8 ports from 0xCF8

  void reset() { ports_.reset(); }

 private:
  // `address` is bus:8 device:5 function:3 register:12, as in ECAM. What is absent reads as all
  // ones.
  u32 read(u32 address, unsigned size);
  void write(u32 address, unsigned size, u32 value);
  virtio::PciFunction* find(u32 address) const;

  class HostBridge : public virtio::PciFunction {
   public:
    HostBridge();
    void pose_as_qemu();
    u32 config_read(u16 offset, unsigned size) override;
    void config_write(u16 offset, unsigned size, u32 value) override;

   private:
    std::mutex mutex_;
    virtio::PciConfigSpace config_;  // guarded by mutex_
  };

  class Ecam : public guest::BusDevice {
   public:
    explicit Ecam(PciBus& bus) : bus_(bus) {}
    u64 read(u64 offset, unsigned size) override;
    void write(u64 offset, unsigned size, u64 value) override;

   private:
    PciBus& bus_;
  };

  class Ports : public guest::BusDevice {
   public:
    Ports(PciBus& bus, std::function<void()> reset) : bus_(bus), request_reset_(std::move(reset)) {}
    u64 read(u64 offset, unsigned size) override;
    void write(u64 offset, unsigned size, u64 value) override;
    void reset();

   private:
    void write_reset_control(u8 value);
    // Where the data port leads, or nothing when the enable bit is off.
    std::optional<u32> target(u64 offset);

    PciBus& bus_;
    const std::function<void()> request_reset_;
    std::mutex mutex_;
    u32 address_ = 0;  // guarded by mutex_
    u8 reset_control_ = 0;  // guarded by mutex_
  };

  HostBridge bridge_;
  Ecam ecam_{*this};
  Ports ports_;
  std::array<std::atomic<virtio::PciFunction*>, kDevices> functions_{};
};

}  // namespace pileus::machine
