// Making a VM's folder out of what the user asked for: everything is checked first, and it appears
// as a whole.
#pragma once

#include "base/result.h"
#include "command_line.h"
#include "image/library.h"
#include "vms.h"

namespace pileus::cli {

Result<VmEntry> make_vm(image::Library& library, const RunOptions& options);

// Ports may have been taken since the VM was made: picks a new one for SSH if the old was our
// choice; else kBusy.
Result<> renew_ports(VmEntry& vm);

}  // namespace pileus::cli
