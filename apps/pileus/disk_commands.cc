#include "disk_commands.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "interrupt.h"
#include "output.h"
#include "print_json.h"
#include "store/clone.h"
#include "vmm/attached_disks.h"
#include "vmm/control_client.h"
#include "vmm/disk_control.h"
#include "vmm/disks.h"
#include "vmm/units.h"
#include "vms.h"

namespace pileus::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
constexpr std::chrono::seconds kDetachPatience{60};
constexpr std::chrono::milliseconds kPoll{100};

// A disk as it was named: one of the library's, or any path.
struct Named {
  std::string id;
  fs::path path;
};

Result<Named> name_disk(const image::Library& library, const std::string& text) {
  if (text.find('/') != std::string::npos) {
    const fs::path path = fs::absolute(text).lexically_normal();
    return Named{path.stem().string(), path};
  }
  TRY(image::check_name(text).with("disk"));
  return Named{text, library.disks() / text};
}

Error no_such_disk(const std::string& text) {
  return {ErrorCode::kNotFound,
          "there is no disk '" + text + "': `pileus vm disk ls` shows the disks, and --size makes one"};
}

Result<std::vector<vmm::DiskStatus>> ask_disks(const VmEntry& vm, const vmm::Request& request) {
  const std::string reply = TRY(vmm::ask(vm.directory, request));
  return vmm::parse_disks_reply(reply);
}

// What a running VM says, or what its folder does.
Result<std::vector<vmm::DiskStatus>> disks_of(const VmEntry& vm) {
  if (vm.directory.in_use()) return ask_disks(vm, vmm::Command::kDiskList);
  const store::DiskFolder own = vmm::own_disk(vm.directory, vm.config);
  const u64 bytes = TRY(own.size());
  const store::Chain chain = TRY(own.chain());
  std::vector<vmm::DiskStatus> disks;
  disks.push_back({.id = vmm::DiskControl::kRoot,
                   .path = vm.directory.path().string(),
                   .device = "",
                   .bytes = bytes,
                   .read_only = false,
                   .place = 0,
                   .layers = chain.layers.size(),
                   .detaching = false});
  for (const vmm::AttachedDisk& disk : TRY(vmm::load_disks(vm.directory))) {
    const bool folder = fs::is_directory(disk.path);
    vmm::DiskStatus status{disk.id, disk.path, disk.device, 0, disk.read_only, disk.place, 0, false};
    if (folder) {
      status.bytes = TRY(store::DiskFolder(disk.path).size());
    } else {
      status.bytes = TRY(vmm::probe_base_disk(disk.path));
    }
    disks.push_back(std::move(status));
  }
  return disks;
}

bool is_attached(const std::vector<vmm::DiskStatus>& disks, const std::string& id) {
  return std::ranges::find(disks, id, &vmm::DiskStatus::id) != disks.end();
}

// The VM's lock for a change of its folder.
Result<os::FileLock> lock_stopped(const VmEntry& vm) {
  Result<os::FileLock> lock = vm.directory.lock();
  if (!lock && lock.error().code() == ErrorCode::kBusy) {
    return Error(ErrorCode::kBusy, "VM " + vm.config.name + " is just starting or ending: try again");
  }
  return lock;
}

// The VM that has the disk at `path`, if any does.
std::optional<std::string> holder_of(const image::Library& library, const fs::path& path) {
  for (const VmEntry& vm : list_vms(library)) {
    const Result<std::vector<vmm::AttachedDisk>> disks = vmm::load_disks(vm.directory);
    if (!disks) continue;
    for (const vmm::AttachedDisk& disk : *disks) {
      if (disk.path == path) return vm.config.name;
    }
  }
  return std::nullopt;
}

Json to_json(const vmm::DiskStatus& disk) {
  return {{"id", disk.id},         {"path", disk.path},   {"bytes", disk.bytes},        {"read_only", disk.read_only},
          {"layers", disk.layers}, {"place", disk.place}, {"detaching", disk.detaching}};
}

// The folder of one of the VM's disks.
Result<store::DiskFolder> folder_of(const VmEntry& vm, const std::string& id) {
  if (id == vmm::DiskControl::kRoot) return vmm::own_disk(vm.directory, vm.config);
  for (const vmm::AttachedDisk& disk : TRY(vmm::load_disks(vm.directory))) {
    if (disk.id != id) continue;
    if (fs::is_directory(disk.path)) return store::DiskFolder(disk.path);
    return Error(ErrorCode::kUnsupported,
                 "disk " + id + " is a file of its own: it has no snapshots, and keeps its size");
  }
  return Error(ErrorCode::kNotFound,
               "VM " + vm.config.name + " has no disk '" + id + "': `pileus vm disk ls " + vm.config.name + "`");
}

Result<int> list_of_vm(const image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  std::vector<std::vector<std::string>> rows = {{"DISK", "SIZE", "LAYERS", "STATE", "PATH"}};
  Json array = Json::array();
  for (const vmm::DiskStatus& disk : TRY(disks_of(vm))) {
    array.push_back(to_json(disk));
    const char* const state = disk.detaching ? "detaching" : disk.read_only ? "read-only" : "attached";
    rows.push_back({disk.id, vmm::format_size(disk.bytes), std::to_string(disk.layers), state, disk.path});
  }
  if (line.json) {
    print_json(array);
  } else {
    print_table(rows);
  }
  return 0;
}

}  // namespace

Result<int> disk_list(image::Library& library, const CommandLine& line) {
  if (!line.name.empty()) return list_of_vm(library, line);
  std::vector<std::vector<std::string>> rows = {{"DISK", "SIZE", "TAKES", "VM"}};
  Json array = Json::array();
  std::error_code ignored;
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(library.disks(), ignored)) {
    if (!entry.path().filename().string().starts_with('.')) folders.push_back(entry.path());
  }
  std::ranges::sort(folders);
  for (const fs::path& path : folders) {
    const store::DiskFolder folder(path);
    const Result<u64> size = folder.size();
    if (!size) continue;
    const std::string vm = holder_of(library, path).value_or("");
    const u64 takes = folder.allocated_bytes();
    const std::string name = path.filename().string();
    if (line.quiet) std::printf("%s\n", name.c_str());
    array.push_back({{"id", name}, {"path", path.string()}, {"bytes", *size}, {"allocated_bytes", takes}, {"vm", vm}});
    rows.push_back({name, vmm::format_size(*size), std::to_string(takes / kMiB) + "M", vm.empty() ? "-" : vm});
  }
  if (line.json) print_json(array);
  if (!line.json && !line.quiet) print_table(rows);
  return 0;
}

Result<int> disk_attach(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  const Named disk = TRY(name_disk(library, line.disk.name));
  if (!fs::exists(disk.path)) {
    if (line.disk.size.empty()) return no_such_disk(line.disk.name);
    const u64 bytes = TRY(vmm::parse_size(line.disk.size).with("--size"));
    TRY(store::make_disk({}, disk.path, bytes));
  } else if (!line.disk.size.empty()) {
    return Error(ErrorCode::kExists, "there is a disk '" + line.disk.name + "' already: leave --size out to attach it");
  }
  if (vm.directory.in_use()) {
    TRY(ask_disks(vm, vmm::attach_disk(disk.id, disk.path.string(), "", line.disk.read_only)));
  } else {
    const os::FileLock lock = TRY(lock_stopped(vm));
    std::vector<vmm::AttachedDisk> disks = TRY(vmm::load_disks(vm.directory));
    TRY(vmm::add_disk(disks,
                      {.id = disk.id, .path = disk.path.string(), .device = "", .read_only = line.disk.read_only}));
    TRY(vmm::save_disks(vm.directory, disks));
  }
  const char* const kind = vm.config.disk_bus == machine::DiskBus::kSata ? "ata-Pileus_disk_" : "virtio-";
  if (!line.quiet) std::printf("in the guest it is /dev/disk/by-id/%s%s\n", kind, disk.id.c_str());
  return 0;
}

Result<int> disk_detach(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  const std::string id = TRY(name_disk(library, line.disk.name)).id;
  if (!vm.directory.in_use()) {
    const os::FileLock lock = TRY(lock_stopped(vm));
    std::vector<vmm::AttachedDisk> disks = TRY(vmm::load_disks(vm.directory));
    if (std::erase_if(disks, [&](const vmm::AttachedDisk& disk) { return disk.id == id; }) == 0) return 0;  // as wanted
    TRY(vmm::save_disks(vm.directory, disks));
    return 0;
  }
  std::vector<vmm::DiskStatus> disks = TRY(disks_of(vm));
  if (!is_attached(disks, id)) return 0;
  catch_interrupts();
  disks = TRY(ask_disks(vm, vmm::detach_disk(id, line.force)));
  const auto patience = line.timeout_s == 0 ? kDetachPatience : std::chrono::seconds(line.timeout_s);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (vm.directory.in_use() && is_attached(disks, id)) {
    if (interrupted() || std::chrono::steady_clock::now() >= deadline) {
      return Error(ErrorCode::kTimeout, "the guest has not let go of disk " + id +
                                            " yet: it goes when the guest does or reboots, or at once with --force");
    }
    std::this_thread::sleep_for(kPoll);
    disks = TRY(disks_of(vm));
  }
  return 0;
}

Result<int> disk_resize(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  const u64 bytes = TRY(vmm::parse_size(line.disk.size).with("SIZE"));
  if (vm.directory.in_use()) {
    TRY(ask_disks(vm, vmm::resize_disk(line.disk.name, bytes)));
    return 0;
  }
  const os::FileLock lock = TRY(lock_stopped(vm));
  const store::DiskFolder folder = TRY(folder_of(vm, line.disk.name));
  const std::unique_ptr<store::Disk> disk = TRY(folder.open());
  TRY(disk->grow(bytes));
  return 0;
}

// Marks are for one snapshot each: the new disk may be removed and made anew under its name.
Result<int> disk_snapshot(image::Library& library, const CommandLine& line) {
  const VmEntry vm = TRY(find_vm(library, line.name));
  const Named made = TRY(name_disk(library, line.disk.snapshot));
  if (fs::exists(made.path)) {
    return Error(ErrorCode::kExists, "there is a disk '" + line.disk.snapshot + "' already: choose another name");
  }
  const store::DiskFolder folder = TRY(folder_of(vm, line.disk.name));
  const std::string mark = made.id + "." + std::to_string(std::time(nullptr));
  if (vm.directory.in_use()) {
    TRY(ask_disks(vm, vmm::snapshot_disks({line.disk.name}, mark)));
  } else {
    const os::FileLock lock = TRY(lock_stopped(vm));
    const std::unique_ptr<store::Disk> disk = TRY(folder.open());
    TRY(disk->snapshot(mark));
  }
  const store::Chain chain = TRY(folder.chain());
  const store::Mark* const found = chain.find_mark(mark);
  if (found == nullptr) return Error(ErrorCode::kCorrupt, "the snapshot is not in " + folder.path().string());
  const u64 bytes = TRY(store::DiskFolder::size_of_layers(folder, found->layers));
  TRY(store::clone(folder, found->layers, made.path, bytes));
  if (!line.quiet) {
    std::printf("disk %s is as %s was: `pileus vm disk attach VM %s`\n", made.id.c_str(), line.disk.name.c_str(),
                line.disk.snapshot.c_str());
  }
  return 0;
}

Result<int> disk_remove(image::Library& library, const CommandLine& line) {
  TRY(image::check_name(line.disk.name).with("disk"));
  const fs::path path = library.disks() / line.disk.name;
  if (!fs::exists(path)) return no_such_disk(line.disk.name);
  if (const auto vm = holder_of(library, path)) {
    return Error(ErrorCode::kBusy, "disk " + line.disk.name + " is attached to VM " + *vm +
                                       ": `pileus vm disk detach " + *vm + " " + line.disk.name + "` first");
  }
  const fs::path doomed = library.disks() / (".removed-" + line.disk.name);
  TRY(os::remove_all(doomed));
  TRY(os::rename(path, doomed));
  TRY(os::remove_all(doomed));
  return 0;
}

}  // namespace pileus::cli
