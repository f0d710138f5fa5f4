// The disks that every VM has: what may be a base, and how base, overlay and seed become backends.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "virtio/block_backend.h"
#include "vmm/attached_disks.h"
#include "vmm/config.h"
#include "vmm/vm_directory.h"

namespace pileus::vmm {

// The size in bytes of a raw disk image that a VM can be based on. kUnsupported with the way out
// for another format (qcow2, VMDK, VHDX, VDI, ...); kInvalid for what is no disk at all.
Result<u64> probe_base_disk(const std::string& path);

// Whether the file is a CD image that firmware can boot, but by a CD drive only: it has El Torito's boot record and no boot
// sector. False too for what cannot be read.
bool needs_cd_drive(const std::string& path);
Result<std::unique_ptr<virtio::BlockBackend>> open_cd(const std::string& path);

// Makes the VM's empty overlay.
Result<> create_overlay(const VmDirectory& directory, const VmConfig& config);

// The folder of the VM's own disk: as long as there was no snapshot it has an overlay and no record of layers.
store::DiskFolder own_disk(const VmDirectory& directory, const VmConfig& config);

// Open them for running.
Result<OpenedDisk> open_own_disk(const VmDirectory& directory, const VmConfig& config);
bool has_seed(const VmDirectory& directory);
Result<OpenedDisk> open_seed(const VmDirectory& directory);

}  // namespace pileus::vmm
