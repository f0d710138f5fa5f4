// SlirpBackend: a virtual network card on a nat::UserNetwork of its own. The guest gets an address by DHCP, a name server
// and outward NAT; chosen ports of the host lead into the guest.
//
// The network is 10.0.2.0/24: gateway .2, name server .3, guest .15.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "nat/user_network.h"
#include "os/event_loop.h"
#include "virtio/net_backend.h"

namespace pileus::virtio {

struct SlirpOptions {
  nat::UserNetworkOptions network = {};
  std::vector<nat::Forward> forwards = {};
};

class SlirpBackend : public NetBackend {
 public:
  // Any thread; `loop` is the I/O thread's and must outlive the backend. kBusy when a port of the
  // host is taken.
  static Result<std::unique_ptr<SlirpBackend>> create(os::EventLoop& loop, const SlirpOptions& options);
  ~SlirpBackend() override;

  void send(const packet::Offload& offload, std::span<u8> frame) override;
  void set_receiver(Receiver receiver) override;
  bool takes_offloads() const override { return true; }  // libslirp takes segments of any size

 private:
  SlirpBackend(os::EventLoop& loop, std::unique_ptr<nat::UserNetwork> network)
      : loop_(loop), network_(std::move(network)) {}

  os::EventLoop& loop_;
  std::unique_ptr<nat::UserNetwork> network_;
};

}  // namespace pileus::virtio
