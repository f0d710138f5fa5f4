#include "vmm/network.h"

#include "virtio/slirp_backend.h"
#include "virtio/switch_backend.h"

namespace pileus::vmm {

Result<std::unique_ptr<virtio::NetBackend>> make_network(os::EventLoop& loop, const VmConfig& config, u16 mtu) {
  if (!config.switch_port.empty()) {
    return std::unique_ptr<virtio::NetBackend>(TRY(virtio::SwitchBackend::create(loop, config.switch_port)));
  }
  virtio::SlirpOptions options;
  options.network.host_name = config.name;
  options.network.mtu = mtu;
  options.network.restricted = config.restrict_network;
  for (const PortForward& forward : config.forwards) {
    options.forwards.push_back(
        {.host_address = forward.address, .host_port = forward.host_port, .guest_port = forward.guest_port});
  }
  return std::unique_ptr<virtio::NetBackend>(TRY(virtio::SlirpBackend::create(loop, options)));
}

}  // namespace pileus::vmm
