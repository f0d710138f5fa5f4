// The network card's other end, as a VM's configuration has it.
#pragma once

#include <memory>

#include "base/result.h"
#include "os/event_loop.h"
#include "virtio/net_backend.h"
#include "vmm/config.h"

namespace pileus::vmm {

// Of a virtual switch's networks: leaves room for a tunnel's headers in packets of 1500 bytes.
inline constexpr u16 kSwitchMtu = 1450;

// A port of the virtual switch if the VM has one, else a user network of its own. kBusy when a port of the host is taken.
Result<std::unique_ptr<virtio::NetBackend>> make_network(os::EventLoop& loop, const VmConfig& config, u16 mtu);

}  // namespace pileus::vmm
