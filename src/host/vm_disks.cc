#include "host/vm_disks.h"

#include <algorithm>
#include <ranges>

#include "base/log.h"
#include "vmm/attached_disks.h"
#include "vmm/control_client.h"
#include "vmm/disk_control.h"

namespace pileus::host {
namespace {

std::optional<model::VolumeId> root_of(const LocalVm& vm) {
  const Result<vmm::VmConfig> config = vm.directory().config();
  if (!config || config->disk_folder.empty()) return std::nullopt;
  const Result<model::VolumeId> id = volume_of_serial(config->disk_id);
  return id ? std::optional(*id) : std::nullopt;
}

const control::VolumeTask* find_task(const control::DiskTasks& tasks, model::VolumeId id) {
  const auto found = std::ranges::find(tasks.volumes, id, &control::VolumeTask::id);
  return found == tasks.volumes.end() ? nullptr : &*found;
}

bool is_held(const control::VolumeTask& task) {
  return task.goal == control::VolumeGoal::kHold && !task.observed.handed_over;
}

struct Wish {
  model::VolumeId volume;
  std::string device;
};

// What is to be plugged in beside the root. That is the first one, also of an instance whose VM has its disk in its own
// folder.
std::vector<Wish> wishes_of(const control::Assignment& assignment, const control::DiskTasks& tasks,
                            const DiskPlaces& places) {
  std::vector<Wish> wishes;
  for (const model::DiskWish& disk : assignment.desired.disks | std::views::drop(1)) {
    const control::VolumeTask* const task = find_task(tasks, disk.volume);
    if (task == nullptr || !is_held(*task) || task->instance != assignment.desired.id) continue;
    if (!std::filesystem::exists(places.volume(disk.volume).path())) continue;
    wishes.push_back({disk.volume, disk.device});
  }
  return wishes;
}

struct Plugged {
  model::VolumeId volume;
  bool leaving = false;
};

Result<std::vector<Plugged>> plugged_into(const LocalVm& vm) {
  std::vector<Plugged> plugged;
  if (vm.alive()) {
    const std::string reply = TRY(vmm::ask(vm.directory(), vmm::Command::kDiskList));
    for (const vmm::DiskStatus& disk : TRY(vmm::parse_disks_reply(reply))) {
      const Result<model::VolumeId> id = volume_of_serial(disk.id);
      if (id) plugged.push_back({*id, disk.detaching});
    }
    return plugged;
  }
  for (const vmm::AttachedDisk& disk : TRY(vmm::load_disks(vm.directory()))) {
    const Result<model::VolumeId> id = volume_of_serial(disk.id);
    if (id) plugged.push_back({*id, false});
  }
  return plugged;
}

Result<> plug_in(const Wish& wish, const DiskPlaces& places, const LocalVm& vm) {
  const std::string path = places.volume(wish.volume).path().string();
  if (vm.alive()) {
    TRY(vmm::ask(vm.directory(), vmm::attach_disk(serial_of(wish.volume), path, wish.device, false)));
    return {};
  }
  const os::FileLock lock = TRY(vm.directory().lock());
  std::vector<vmm::AttachedDisk> disks = TRY(vmm::load_disks(vm.directory()));
  TRY(vmm::add_disk(disks, {.id = serial_of(wish.volume), .path = path, .device = wish.device}));
  return vmm::save_disks(vm.directory(), disks);
}

// True: it is out.
Result<bool> plug_out(const Plugged& disk, const LocalVm& vm) {
  if (vm.alive()) {
    if (disk.leaving) return false;
    TRY(vmm::ask(vm.directory(), vmm::detach_disk(serial_of(disk.volume), false)));
    return false;
  }
  const os::FileLock lock = TRY(vm.directory().lock());
  std::vector<vmm::AttachedDisk> disks = TRY(vmm::load_disks(vm.directory()));
  std::erase_if(disks, [&](const vmm::AttachedDisk& each) { return each.id == serial_of(disk.volume); });
  TRY(vmm::save_disks(vm.directory(), disks));
  return true;
}

}  // namespace

std::optional<model::VolumeId> root_volume(const control::Assignment& assignment, const control::DiskTasks& tasks) {
  if (assignment.desired.disks.empty()) return std::nullopt;
  const model::VolumeId id = assignment.desired.disks.front().volume;
  return find_task(tasks, id) == nullptr ? std::nullopt : std::optional(id);
}

bool is_root_held(const control::Assignment& assignment, const control::DiskTasks& tasks) {
  const std::optional<model::VolumeId> root = root_volume(assignment, tasks);
  return !root || is_held(*find_task(tasks, *root));
}

Holders holders_of(std::map<model::InstanceId, LocalVm>& vms) {
  Holders holders;
  for (auto& [id, vm] : vms) {
    if (!vm.exists()) continue;
    if (const std::optional<model::VolumeId> root = root_of(vm)) holders[*root] = &vm;
    const Result<std::vector<vmm::AttachedDisk>> disks = vmm::load_disks(vm.directory());
    if (!disks) {
      log::warn("{}: {}", id.text(), disks.error().message());
      continue;
    }
    for (const vmm::AttachedDisk& disk : *disks) {
      const Result<model::VolumeId> volume = volume_of_serial(disk.id);
      if (volume) holders[*volume] = &vm;
    }
  }
  return holders;
}

std::set<model::VolumeId> not_to_be_made(const control::DiskTasks& tasks,
                                         const std::vector<control::Assignment>& assignments,
                                         const std::map<model::InstanceId, LocalVm>& vms) {
  std::set<model::VolumeId> living;
  for (const control::Assignment& assignment : assignments) {
    if (assignment.desired.power == model::Power::kTerminated) continue;
    if (assignment.observed.state == model::InstanceState::kTerminated) continue;
    const auto vm = vms.find(assignment.desired.id);
    const bool has_own_disk = vm != vms.end() && vm->second.exists() && !root_of(vm->second);
    for (const model::DiskWish& disk : assignment.desired.disks | std::views::drop(has_own_disk ? 1 : 0)) {
      living.insert(disk.volume);
    }
  }
  std::set<model::VolumeId> others;
  for (const control::VolumeTask& task : tasks.volumes) {
    if (task.instance && !living.contains(task.id)) others.insert(task.id);
  }
  return others;
}

std::string name_in_vm(const LocalVm& vm, model::VolumeId id) {
  return root_of(vm) == id ? vmm::DiskControl::kRoot : serial_of(id);
}

Result<std::vector<model::VolumeId>> follow_disks(const control::Assignment& assignment,
                                                  const control::DiskTasks& tasks, const DiskPlaces& places,
                                                  const LocalVm& vm) {
  const std::optional<model::VolumeId> root = root_of(vm);
  const std::vector<Wish> wishes = wishes_of(assignment, tasks, places);
  std::vector<Plugged> plugged = TRY(plugged_into(vm));
  std::vector<model::VolumeId> attached;
  if (root) attached.push_back(*root);
  for (const Wish& wish : wishes) {
    const auto found = std::ranges::find(plugged, wish.volume, &Plugged::volume);
    if (found == plugged.end()) {
      TRY(plug_in(wish, places, vm).with(wish.volume.text()));
    } else {
      const bool leaving = found->leaving;
      plugged.erase(found);
      if (leaving) continue;  // it comes back when it is out
    }
    attached.push_back(wish.volume);
  }
  for (const Plugged& disk : plugged) {
    if (!TRY(plug_out(disk, vm).with(disk.volume.text()))) attached.push_back(disk.volume);
  }
  return attached;
}

}  // namespace pileus::host
