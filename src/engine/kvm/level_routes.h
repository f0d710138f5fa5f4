// LevelRoutes: the level-triggered interrupt messages that KVM has to report the end of.
//
// Our machine's IOAPIC is outside of KVM. KVM leaves the guest at the end of an interrupt (KVM_EXIT_IOAPIC_EOI) only for
// vectors that stand in its routing table, in one of the entries that were set aside for an IOAPIC, as a level-triggered
// message to that vCPU. The engine knows no IOAPIC, only messages; so the table is made of those that came lately.
#pragma once

#include <array>
#include <cstddef>

#include "guest/interrupt.h"

namespace pileus::engine::kvm {

class LevelRoutes {
 public:
  // More than an IOAPIC has pins, each of which waits for the end of one message at most.
  static constexpr std::size_t kSlots = 64;

  // True when the table changed. A new message takes the place of the one that was added first.
  bool learn(const guest::MsiMessage& message);
  // Without data: the slot is free.
  const std::array<guest::MsiMessage, kSlots>& slots() const { return slots_; }

 private:
  std::array<guest::MsiMessage, kSlots> slots_{};
  std::size_t next_ = 0;
};

}  // namespace pileus::engine::kvm
