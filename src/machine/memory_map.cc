#include "machine/memory_map.h"

#include "machine/layout.h"

namespace pileus::machine {

std::vector<MemoryRange> memory_map(const guest::GuestMemory& memory) {
  std::vector<MemoryRange> map{{0, kLowRamEnd, MemoryKind::kRam}, {kLowRamEnd, kHighRamStart, MemoryKind::kReserved}};
  const auto& regions = memory.regions();
  const guest::Gpa low_end = regions.front().base + regions.front().size;
  if (low_end > kHighRamStart) map.push_back({kHighRamStart, low_end, MemoryKind::kRam});
  map.push_back({kEcam, kEcam + kEcamSize, MemoryKind::kReserved});
  for (u64 i = 1; i < regions.size(); ++i) {
    map.push_back({regions[i].base, regions[i].base + regions[i].size, MemoryKind::kRam});
  }
  return map;
}

}  // namespace pileus::machine
