// The disks of one VM: what may be a base, and how base, overlay and seed become backends.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "virtio/block_backend.h"
#include "vmm/config.h"
#include "vmm/vm_directory.h"

namespace pileus::vmm {

// The size in bytes of a raw disk image that a VM can be based on. kUnsupported with the way out
// for another format (qcow2, VMDK, VHDX, VDI, ...); kInvalid for what is no disk at all.
Result<u64> probe_base_disk(const std::string& path);

// Makes the VM's empty overlay.
Result<> create_overlay(const VmDirectory& directory, const VmConfig& config);

// Opens them for running: the overlaid disk and, if there is one, the seed.
Result<std::vector<std::unique_ptr<virtio::BlockBackend>>> open_disks(const VmDirectory& directory,
                                                                      const VmConfig& config);

}  // namespace pileus::vmm
