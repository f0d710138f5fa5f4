// LevelRoutes: the level-triggered interrupt messages that KVM has to report the end of.
//
// Our machine's IOAPIC is outside of KVM. KVM leaves the guest at the end of an interrupt (KVM_EXIT_IOAPIC_EOI) only for
// vectors that stand in its routing table, in one of the entries that were set aside for an IOAPIC, as a level-triggered
// message to that vCPU. The engine knows no IOAPIC, only messages; so the table is made of those that came lately.
#pragma once

#include <array>
#include <cstddef>

#include "base/ints.h"

namespace pileus::engine::kvm {

class LevelRoutes {
 public:
  // More than an IOAPIC has pins, each of which waits for the end of one message at most.
  static constexpr std::size_t kSlots = 64;

  struct Message {
    u64 address = 0;
    u32 data = 0;  // 0: the slot is free
    bool operator==(const Message&) const = default;
  };

  // True when the table changed. A new message takes the place of the one that was added first.
  bool learn(const Message& message);
  const std::array<Message, kSlots>& slots() const { return slots_; }

 private:
  std::array<Message, kSlots> slots_{};
  std::size_t next_ = 0;
};

}  // namespace pileus::engine::kvm
