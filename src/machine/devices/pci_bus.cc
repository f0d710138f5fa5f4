#include "machine/devices/pci_bus.h"

namespace pileus::machine {

namespace {
constexpr u64 kResetPort = 1;  // 0xCF9
constexpr u64 kDataPort = 4;   // 0xCFC
constexpr u32 kEnable = 0x80000000;

// Configuration registers are 32 bits wide and naturally aligned; nothing else reaches a function.
bool is_register_access(u64 offset, unsigned size) { return size <= 4 && offset % size == 0; }

// Red Hat's id of a host bridge that needs no driver; the class is "host bridge".
constexpr virtio::PciIdentity kBridge{.vendor = 0x1B36, .device = 0x0008, .revision = 0, .class_code = 0x060000};
}  // namespace

PciBus::PciBus(std::function<void()> reset) : ports_(*this, std::move(reset)) { functions_[0] = &bridge_; }

virtio::PciFunction* PciBus::find(u32 address) const {
  const u32 bus = address >> 20, device = address >> 15 & 0x1F, function = address >> 12 & 7;
  return bus == 0 && function == 0 ? functions_[device].load() : nullptr;
}

u32 PciBus::read(u32 address, unsigned size) {
  virtio::PciFunction* const function = find(address);
  return function == nullptr ? ~u32{0} : function->config_read(address & 0xFFF, size);
}

void PciBus::write(u32 address, unsigned size, u32 value) {
  virtio::PciFunction* const function = find(address);
  if (function != nullptr) function->config_write(address & 0xFFF, size, value);
}

PciBus::HostBridge::HostBridge() : config_(kBridge) {}

void PciBus::HostBridge::pose_as_qemu() {
  constexpr u16 kSubsystemVendor = 0x2C, kSubsystem = 0x2E, kRedHat = 0x1AF4, kQemuMachine = 0x1100;
  const std::scoped_lock lock(mutex_);
  config_.poke(kSubsystemVendor, 2, kRedHat);
  config_.poke(kSubsystem, 2, kQemuMachine);
}

u32 PciBus::HostBridge::config_read(u16 offset, unsigned size) {
  const std::scoped_lock lock(mutex_);
  return config_.read(offset, size);
}

void PciBus::HostBridge::config_write(u16 offset, unsigned size, u32 value) {
  const std::scoped_lock lock(mutex_);
  config_.write(offset, size, value);
}

u64 PciBus::Ecam::read(u64 offset, unsigned size) {
  if (!is_register_access(offset, size)) return ~u64{0};
  return bus_.read(static_cast<u32>(offset), size);
}

void PciBus::Ecam::write(u64 offset, unsigned size, u64 value) {
  if (is_register_access(offset, size)) bus_.write(static_cast<u32>(offset), size, static_cast<u32>(value));
}

// 0xCF8 has the register in bits 0-7, function 8-10, device 11-15, bus 16-23.
std::optional<u32> PciBus::Ports::target(u64 offset) {
  const std::scoped_lock lock(mutex_);
  if ((address_ & kEnable) == 0) return std::nullopt;
  const u32 where = (address_ & 0xFFFF00) << 4 | (address_ & 0xFC);
  return where + static_cast<u32>(offset - kDataPort);
}

u64 PciBus::Ports::read(u64 offset, unsigned size) {
  if (offset == 0 && size == 4) {
    const std::scoped_lock lock(mutex_);
    return address_;
  }
  if (offset == kResetPort && size == 1) {
    const std::scoped_lock lock(mutex_);
    return reset_control_;
  }
  if (offset < kDataPort || !is_register_access(offset, size)) return ~u64{0};
  const auto where = target(offset);
  return where ? bus_.read(*where, size) : ~u32{0};
}

void PciBus::Ports::write(u64 offset, unsigned size, u64 value) {
  if (offset == 0 && size == 4) {
    const std::scoped_lock lock(mutex_);
    address_ = static_cast<u32>(value);
    return;
  }
  if (offset == kResetPort && size == 1) return write_reset_control(static_cast<u8>(value));
  if (offset < kDataPort || !is_register_access(offset, size)) return;
  if (const auto where = target(offset)) bus_.write(*where, size, static_cast<u32>(value));
}

// RST_CPU, which never stays set, resets; SYS_RST only says how thoroughly.
void PciBus::Ports::write_reset_control(u8 value) {
  constexpr u8 kSystemReset = 1 << 1, kResetCpu = 1 << 2;
  {
    const std::scoped_lock lock(mutex_);
    reset_control_ = value & kSystemReset;
  }
  if ((value & kResetCpu) != 0) request_reset_();
}

void PciBus::Ports::reset() {
  const std::scoped_lock lock(mutex_);
  address_ = 0;
  reset_control_ = 0;
}

}  // namespace pileus::machine
