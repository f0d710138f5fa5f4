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

// The requests about disks; each is answered with the list of disks as it is afterwards.
Request attach_disk(const std::string& id, const std::string& path, const std::string& device, bool read_only);
Request detach_disk(const std::string& id, bool force);
Request resize_disk(const std::string& id, u64 bytes);
Request snapshot_disks(std::vector<std::string> ids, const std::string& mark);  // at the same moment

// The disks of the reply to one of these, or to kDiskList.
Result<std::vector<DiskStatus>> parse_disks_reply(std::string_view line);

// The counters of an ask(kStats) reply.
Result<engine::Counters> parse_stats_reply(std::string_view line);

}  // namespace pileus::vmm
