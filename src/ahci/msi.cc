#include "ahci/msi.h"

#include <array>

namespace pileus::ahci {

namespace {

constexpr u8 kCapability = 0x05;
constexpr u16 kControl = 2, kAddress = 4, kUpperAddress = 8, kData = 12;
constexpr u8 kEnable = 0x01, kIs64Bit = 0x80;

u16 add_capability(virtio::PciConfigSpace& config) {
  // Behind id and link: control, address, upper address, data.
  std::array<u8, 12> body{kIs64Bit}, writable{};
  writable.fill(0xFF);
  writable[0] = kEnable;
  writable[1] = 0;
  writable[2] = 0xFC;
  return config.add_capability(kCapability, body, writable);
}

}  // namespace

Msi::Msi(virtio::PciConfigSpace& config, guest::MsiSink& sink)
    : config_(config), at_(add_capability(config)), source_(sink.make_source()) {}

void Msi::update() {
  const auto field = [&](u16 offset, unsigned size) { return config_.peek(static_cast<u16>(at_ + offset), size); };
  enabled_ = (field(kControl, 2) & kEnable) != 0;
  if (!enabled_) return source_->set_route(std::nullopt);
  source_->set_route(guest::MsiMessage{u64{field(kUpperAddress, 4)} << 32 | field(kAddress, 4), field(kData, 2)});
}

void Msi::signal() {
  if (enabled_) source_->signal();
}

void Msi::reset() {
  config_.write(static_cast<u16>(at_ + kControl), 2, 0);
  update();
  source_->forget();
}

}  // namespace pileus::ahci
