// SlotPorts: how the guest's ACPI interpreter learns which PCI slots got a function and which functions are asked to
// leave, and says that it let go of one. Three registers of 32 bits, a bit for each slot:
//   +0  slots that got a function; reading clears it
//   +4  slots whose function is to leave; reading clears it
//   +8  written: the guest lets go of the functions in these slots
#pragma once

#include <atomic>
#include <functional>

#include "guest/bus.h"

namespace pileus::machine {

class SlotPorts : public guest::BusDevice {
 public:
  static constexpr u64 kPorts = 12;
  static constexpr u64 kCame = 0, kLeave = 4, kEject = 8;

  // `eject` is called on a vCPU's thread; must return soon.
  explicit SlotPorts(std::function<void(u32 slots)> eject) : eject_(std::move(eject)) {}

  // Any thread. The guest looks when the interrupt comes.
  void came(unsigned slot) { came_.fetch_or(u32{1} << slot); }
  void ask_to_leave(unsigned slot) { leave_.fetch_or(u32{1} << slot); }
  // Whether there is something that the guest has not looked at yet.
  bool has_news() const { return (came_.load() | leave_.load()) != 0; }

  u64 read(u64 offset, unsigned size) override;
  void write(u64 offset, unsigned size, u64 value) override;
  void reset();

 private:
  const std::function<void(u32)> eject_;
  std::atomic<u32> came_{0};
  std::atomic<u32> leave_{0};
};

}  // namespace pileus::machine
