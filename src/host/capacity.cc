#include "host/capacity.h"

#include <unistd.h>

#include "engine/cpu_model.h"
#include "engine/engine.h"
#include "os/disk_room.h"

namespace pileus::host {
namespace {

// Of what is kept on a file system (os/disk_room.h): its disk is full with less than this free.
constexpr u64 kFull = 2;
constexpr u64 kFullNoMore = 3;

}  // namespace

Result<model::HostObserved> measure(const std::filesystem::path& folder) {
  model::HostObserved observed;
  observed.capacity.vcpus = static_cast<u32>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  const u64 memory = static_cast<u64>(::sysconf(_SC_PHYS_PAGES)) * static_cast<u64>(::sysconf(_SC_PAGESIZE));
  observed.capacity.memory_mib = memory / kMiB;
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(folder, error);
  if (error) return Error::from_errno("the size of the disk under " + folder.string(), error.value());
  observed.capacity.disk_gib = space.capacity / kGiB;
  observed.engines = {"bt"};
  if (engine::probe_kvm().usable) observed.engines.emplace_back("kvm");
  const engine::CpuFeatures supported = engine::bt_cpu_features();
  for (const engine::CpuModel& each : engine::cpu_models()) {
    if (engine::resolve_model(each.name, supported)) observed.cpu_models.emplace_back(each.name);
  }
  observed.version = "pileus 0.1.0";
  return observed;
}

bool is_disk_full(const std::filesystem::path& folder, bool was_full) {
  const Result<os::DiskRoom> room = os::disk_room(folder);
  if (!room || room->total == 0) return was_full;
  return room->free < os::kept_room(*room) * (was_full ? kFullNoMore : kFull);
}

Result<> check_room(const std::filesystem::path& folder, u64 bytes) {
  const os::DiskRoom room = TRY(os::disk_room(folder));
  const u64 kept = os::kept_room(room) * kFull;
  if (room.total == 0 || (room.free >= kept && room.free - kept >= bytes)) return {};
  return Error(ErrorCode::kExhausted, "the host's disk is too full for this disk");
}

}  // namespace pileus::host
