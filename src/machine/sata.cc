#include "machine/sata.h"

#include <algorithm>
#include <string>

#include "ahci/cd.h"

namespace pileus::machine {

Result<Sata> Sata::create(const ahci::Adapter::Wiring& wiring, const Disks& disks, bool with_cd) {
  constexpr u32 kFewestPorts = 6;
  const u32 places = disks.empty() ? 0 : disks.rbegin()->first + 1;
  auto adapter = TRY(ahci::Adapter::create(wiring, std::max(kFewestPorts, places + (with_cd ? 1 : 0))));
  return Sata(std::move(adapter), with_cd);
}

Result<> Sata::attach_disk(u32 place, std::unique_ptr<ahci::Disk> disk) {
  if (place >= disk_ports()) {
    return Error(ErrorCode::kUnsupported, "the VM's SATA adapter has ports for " + std::to_string(disk_ports()) +
                                              " disks: stop the VM, and it starts with one more");
  }
  if (disks_.contains(place)) return Error(ErrorCode::kExists, "there is a disk in that place already");
  disks_[place] = disk.get();
  adapter_->plug(place, std::move(disk));
  return {};
}

void Sata::attach_cd(std::unique_ptr<virtio::BlockBackend> disc) {
  adapter_->plug(cd_port(), std::make_unique<ahci::Cd>(std::move(disc)));
}

Result<> Sata::detach_disk(u32 place) {
  if (disks_.erase(place) == 0) return Error(ErrorCode::kNotFound, "there is no disk in that place");
  adapter_->unplug(place);
  return {};
}

virtio::GuestDisk* Sata::disk_at(u32 place) const {
  const auto found = disks_.find(place);
  return found == disks_.end() ? nullptr : found->second;
}

}  // namespace pileus::machine
