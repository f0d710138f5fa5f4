// Making a VM's folder, and starting its pileus-vmm.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "image/seed.h"
#include "os/child_process.h"
#include "vmm/config.h"
#include "vmm/vm_directory.h"

namespace pileus::host {

// PARENT/NAME, with configuration, empty overlay and seed, if there is one: it appears as a whole or not at all. kExists.
Result<vmm::VmDirectory> create_vm(const std::filesystem::path& parent, const std::string& name,
                                   const vmm::VmConfig& config, const std::optional<image::SeedContent>& seed);

struct Spawn {
  std::vector<std::string> options;  // of pileus-vmm, before the folder
  int parent_death_signal = 0;  // sent to it when the thread that spawned it ends; 0: none
};
// Starts the pileus-vmm beside this program (else that in PATH) in a session of its own; it may not run yet when this
// returns. Its log is the folder's vmm.log.
Result<os::ChildProcess> spawn_vmm(const vmm::VmDirectory& vm, const Spawn& spawn);

// Why a pileus-vmm ended at once, in a sentence.
std::string why_not_started(const vmm::VmDirectory& vm, const os::ExitStatus& status);

}  // namespace pileus::host
