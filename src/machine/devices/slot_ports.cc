#include "machine/devices/slot_ports.h"

namespace pileus::machine {

u64 SlotPorts::read(u64 offset, unsigned size) {
  if (size != 4) return 0;
  if (offset == kCame) return came_.exchange(0);
  if (offset == kLeave) return leave_.exchange(0);
  return 0;
}

void SlotPorts::write(u64 offset, unsigned size, u64 value) {
  if (offset == kEject && size == 4 && value != 0) eject_(static_cast<u32>(value));
}

void SlotPorts::reset() {
  came_ = 0;
  leave_ = 0;
}

}  // namespace pileus::machine
