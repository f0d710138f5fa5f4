#include "virtio/pci_function.h"

#include <algorithm>
#include <bit>

#include "base/result.h"

namespace pileus::virtio {

namespace {

// Type 0 header (PCI 3.0, 6.1).
constexpr u16 kVendor = 0x00;
constexpr u16 kDevice = 0x02;
constexpr u16 kStatus = 0x06;
constexpr u16 kRevision = 0x08;
constexpr u16 kClassCode = 0x09;
constexpr u16 kCacheLine = 0x0C;
constexpr u16 kSubsystemVendor = 0x2C;
constexpr u16 kSubsystem = 0x2E;
constexpr u16 kInterruptLine = 0x3C;

constexpr u32 kStatusCapabilities = 0x10;
constexpr u32 kCommandIntxDisable = 0x400;
constexpr u32 kBar64 = 0x4;
constexpr u32 kBarPrefetchable = 0x8;
constexpr u32 kBarFlags = 0xF;

u16 bar_offset(unsigned index) { return static_cast<u16>(kPciBar0 + 4 * index); }

}  // namespace

PciConfigSpace::PciConfigSpace(const PciIdentity& identity) {
  poke(kVendor, 2, identity.vendor);
  poke(kDevice, 2, identity.device);
  poke(kRevision, 1, identity.revision);
  poke(kClassCode, 2, identity.class_code);
  poke(kClassCode + 2, 1, identity.class_code >> 16);
  poke(kSubsystemVendor, 2, identity.subsystem_vendor);
  poke(kSubsystem, 2, identity.subsystem);
  set_writable(kPciCommand, 2, kPciCommandMemory | kPciCommandMaster | kCommandIntxDisable);
  set_writable(kCacheLine, 1, 0xFF);
  set_writable(kInterruptLine, 1, 0xFF);
}

void PciConfigSpace::add_bar(unsigned index, BarKind kind, u64 size, bool prefetchable, BarMoved moved) {
  const bool is_64 = kind == BarKind::kMemory64;
  CHECK(index + (is_64 ? 1 : 0) < kBarCount && !bars_[index].present);
  CHECK(std::has_single_bit(size) && size >= 16 && (is_64 || size <= 2 * kGiB));
  bars_[index] = {true, kind, std::move(moved), std::nullopt};
  // The bits below the size are fixed at zero: that is how the guest finds the size.
  const u64 address_bits = ~(size - 1);
  poke(bar_offset(index), 4, (is_64 ? kBar64 : 0) | (prefetchable ? kBarPrefetchable : 0));
  set_writable(bar_offset(index), 4, static_cast<u32>(address_bits));
  if (is_64) set_writable(bar_offset(index + 1), 4, static_cast<u32>(address_bits >> 32));
}

u16 PciConfigSpace::add_capability(u8 id, std::span<const u8> body, std::span<const u8> writable) {
  const u16 offset = next_capability_;
  const u64 end = align_up(offset + 2 + body.size(), 4);
  CHECK(end <= kSize && writable.size() <= body.size());
  next_capability_ = static_cast<u16>(end);
  poke(offset, 1, id);
  std::copy(body.begin(), body.end(), bytes_.begin() + offset + 2);
  std::copy(writable.begin(), writable.end(), writable_.begin() + offset + 2);
  poke(last_link_, 1, offset);
  last_link_ = static_cast<u16>(offset + 1);
  poke(kStatus, 2, peek(kStatus, 2) | kStatusCapabilities);
  return offset;
}

u32 PciConfigSpace::read(u16 offset, unsigned size) const {
  u32 value = 0;
  for (unsigned i = 0; i < size && i < 4 && offset + i < kSize; ++i) {
    value |= u32{bytes_[offset + i]} << (8 * i);
  }
  return value;
}

void PciConfigSpace::write(u16 offset, unsigned size, u32 value) {
  for (unsigned i = 0; i < size && i < 4 && offset + i < kSize; ++i) {
    u8& byte = bytes_[offset + i];
    const u8 mask = writable_[offset + i];
    byte = static_cast<u8>((byte & ~mask) | ((value >> (8 * i)) & mask));
  }
  update_bars();
}

void PciConfigSpace::poke(u16 offset, unsigned size, u32 value) {
  for (unsigned i = 0; i < size && i < 4 && offset + i < kSize; ++i) {
    bytes_[offset + i] = static_cast<u8>(value >> (8 * i));
  }
}

void PciConfigSpace::set_writable(u16 offset, unsigned size, u32 mask) {
  for (unsigned i = 0; i < size; ++i) writable_[offset + i] = static_cast<u8>(mask >> (8 * i));
}

void PciConfigSpace::update_bars() {
  const bool decoding = (peek(kPciCommand, 2) & kPciCommandMemory) != 0;
  for (unsigned index = 0; index < kBarCount; ++index) {
    Bar& bar = bars_[index];
    if (!bar.present) continue;
    u64 address = peek(bar_offset(index), 4) & ~kBarFlags;
    if (bar.kind == BarKind::kMemory64) address |= u64{peek(bar_offset(index + 1), 4)} << 32;
    const std::optional<u64> decoded = decoding && address != 0 ? std::optional<u64>(address) : std::nullopt;
    if (decoded == bar.decoded) continue;
    bar.decoded = decoded;
    bar.moved(decoded);
  }
}

}  // namespace pileus::virtio
