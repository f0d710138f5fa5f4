// PciFunction: what the PCI bus knows of a function; PciConfigSpace: the first 256 bytes of one.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/ints.h"

namespace pileus::virtio {

// One function on the PCI bus. The bus routes accesses of the configuration space here: `offset`
// is 0..4095, aligned to `size` (1, 2 or 4). Any vCPU's thread.
class PciFunction {
 public:
  virtual ~PciFunction() = default;
  virtual u32 config_read(u16 offset, unsigned size) = 0;
  virtual void config_write(u16 offset, unsigned size, u32 value) = 0;
};

// Offsets in a type 0 header (PCI 3.0, 6.1).
inline constexpr u16 kPciCommand = 0x04;
inline constexpr u16 kPciBar0 = 0x10;
inline constexpr u16 kPciCapabilities = 0x34;
inline constexpr u16 kPciCommandMemory = 0x2;  // answer at the addresses in the BARs
inline constexpr u16 kPciCommandMaster = 0x4;

struct PciIdentity {
  u16 vendor = 0;
  u16 device = 0;
  u8 revision = 0;
  u32 class_code = 0;  // 24 bits: class, subclass, interface
  u16 subsystem_vendor = 0;
  u16 subsystem = 0;
};

// A type 0 configuration space: which bits are writable, sizing of BARs, the list of capabilities.
// Not thread-safe.
class PciConfigSpace {
 public:
  static constexpr unsigned kSize = 256;
  static constexpr unsigned kBarCount = 6;

  enum class BarKind { kMemory32, kMemory64 };
  // Called when the function starts to answer at an address, moves, or stops (nothing). A BAR at
  // address 0 counts as not set.
  using BarMoved = std::function<void(std::optional<u64> address)>;

  explicit PciConfigSpace(const PciIdentity& identity);

  // `size` is a power of two, at least 16. A 64-bit BAR takes `index` and `index` + 1.
  void add_bar(unsigned index, BarKind kind, u64 size, bool prefetchable, BarMoved moved);
  // Appends a capability: `body` follows the id and the next pointer. Bits of the body that are set
  // in `writable` (shorter: the rest is read-only) may be changed by the guest. Returns its offset.
  u16 add_capability(u8 id, std::span<const u8> body, std::span<const u8> writable = {});

  // Offsets beyond 256 read as zero: there are no extended capabilities.
  u32 read(u16 offset, unsigned size) const;
  // Obeys the write masks, then reports BARs that moved.
  void write(u16 offset, unsigned size, u32 value);

  // Direct access for the function itself, masks aside.
  u32 peek(u16 offset, unsigned size) const { return read(offset, size); }
  void poke(u16 offset, unsigned size, u32 value);

  // Where a BAR answers now.
  std::optional<u64> bar_address(unsigned index) const { return bars_[index].decoded; }

 private:
  struct Bar {
    bool present = false;
    BarKind kind = BarKind::kMemory32;
    BarMoved moved;
    std::optional<u64> decoded;
  };

  void set_writable(u16 offset, unsigned size, u32 mask);
  void update_bars();

  std::array<u8, kSize> bytes_{};
  std::array<u8, kSize> writable_{};
  std::array<Bar, kBarCount> bars_;
  u16 next_capability_ = 0x40;
  u16 last_link_ = kPciCapabilities;  // where the next capability's offset is to be written
};

}  // namespace pileus::virtio
