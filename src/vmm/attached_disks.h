// What is plugged into a VM beside its own disk and its seed: the file disks.json in its folder.
//
// While the VM runs its VMM alone writes the file; else whoever has the VM's lock.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "machine/disk.h"
#include "store/disk_folder.h"
#include "vmm/vm_directory.h"

namespace pileus::vmm {

struct AttachedDisk {
  std::string id;      // what the guest reads as the disk's id
  std::string path;    // absolute: a disk's folder (store/disk_folder.h), or a file with the bytes of a disk
  std::string device;  // the name that it is known by outside of the VM; may be empty
  bool read_only = false;
  u32 place = 0;  // among the machine's disks
  bool operator==(const AttachedDisk&) const = default;
};

std::string encode_disks(const std::vector<AttachedDisk>& disks);
// kCorrupt: not JSON, a field missing or of the wrong kind, a place or an id taken twice.
Result<std::vector<AttachedDisk>> parse_disks(std::string_view text);

// None when there is no such file.
Result<std::vector<AttachedDisk>> load_disks(const VmDirectory& directory);
Result<> save_disks(const VmDirectory& directory, const std::vector<AttachedDisk>& disks);

// The VM's own disk and its seed have the first places.
inline constexpr u32 kFirstFreePlace = 2;
// Adds it in the lowest place that is free. kExists: the id is taken; kExhausted: no place is left; kInvalid: an id that
// a guest could not read whole.
Result<> add_disk(std::vector<AttachedDisk>& disks, AttachedDisk disk);

struct OpenedDisk {
  machine::Disk disk;
  store::Disk* folder = nullptr;  // the backend, where it is a disk's folder that may be written
};
Result<OpenedDisk> open_disk(const AttachedDisk& disk);

}  // namespace pileus::vmm
