// The VMs of the library, by name.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "image/library.h"
#include "vmm/config.h"
#include "vmm/vm_directory.h"

namespace pileus::cli {

struct VmEntry {
  vmm::VmDirectory directory;
  vmm::VmConfig config;
};

// All whole VMs, by name.
std::vector<VmEntry> list_vms(const image::Library& library);

// kNotFound, with the way out, when there is none of that name.
Result<VmEntry> find_vm(const image::Library& library, const std::string& name);

// "IMAGE-1", "IMAGE-2", ...: the first that no VM has.
std::string unused_name(const image::Library& library, const std::string& stem);

}  // namespace pileus::cli
