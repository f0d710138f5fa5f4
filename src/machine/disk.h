// A disk as a machine has it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "virtio/block_backend.h"

namespace pileus::machine {

// How disks and the CD drive are attached: by virtio, or as SATA drives for guests that have no driver of virtio.
enum class DiskBus { kVirtio, kSata };

struct Disk {
  std::unique_ptr<virtio::BlockBackend> backend;
  std::string serial;  // what the guest reads as the disk's id; at most 20 bytes of it
};

// A machine has this many places for disks; the one in place 0 is booted from.
inline constexpr u32 kDiskPlaces = 16;
using Disks =
    std::map<u32, Disk>;  // by place; the guest names them /dev/vda, /dev/vdb, ... (or sda, ...) in this order

}  // namespace pileus::machine
