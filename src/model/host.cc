#include "model/host.h"

#include <algorithm>

namespace pileus::model {

Resources sellable(const HostDesired& desired, const HostObserved& observed) {
  constexpr u64 kPercent = 100;
  const auto scaled = [](u64 amount, u32 percent) {
    return amount / kPercent * percent + amount % kPercent * percent / kPercent;
  };
  const u64 memory = observed.capacity.memory_mib - std::min(observed.capacity.memory_mib, desired.reserved_memory_mib);
  Resources room;
  room.vcpus = static_cast<u32>(std::min<u64>(scaled(observed.capacity.vcpus, desired.cpu_percent), UINT32_MAX));
  room.memory_mib = scaled(memory, desired.memory_percent);
  room.disk_gib = scaled(observed.capacity.disk_gib, desired.disk_percent);
  return room;
}

}  // namespace pileus::model
