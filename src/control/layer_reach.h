// Where an instance can be launched, as far as its disks are made of layers (docs/adr/0036): of snapshots, or of another
// instance's disks.
#pragma once

#include <optional>

#include "control/view.h"

namespace pileus::control {

// Whether other hosts can fetch it: from one that lives and has an address for that.
bool is_shared(const View& view, const std::string& layer);

// The hosts that hold all those layers of its disks that no host gives to others; none: there are no such layers. Of a layer
// that no host tells of, nothing is known: it does not count, and who gets the instance waits for it, and says so.
std::optional<std::set<model::HostId>> layer_hosts(const View& view, const model::InstanceDesired& instance);

}  // namespace pileus::control
