// The asking side of control_protocol.h.
#pragma once

#include <string>

#include "base/result.h"
#include "vmm/control_protocol.h"
#include "vmm/vm_directory.h"

namespace pileus::vmm {

// One request to a running VM; its reply line, known to be {"ok": true, ...}. kNotFound when no VMM
// listens.
Result<std::string> ask(const VmDirectory& vm, const Request& request);

// The disks of an ask(kDiskList) reply.
Result<std::vector<DiskStatus>> parse_disks_reply(std::string_view line);

// The counters of an ask(kStats) reply.
Result<engine::Counters> parse_stats_reply(std::string_view line);

}  // namespace pileus::vmm
