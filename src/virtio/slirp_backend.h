// SlirpBackend: a network in user space, for which no privilege is needed. The guest gets an
// address by DHCP, a name server and outward NAT; chosen ports of the host lead into the guest.
//
// The network is 10.0.2.0/24: gateway .2, name server .3, guest .15.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "os/event_loop.h"
#include "virtio/net_backend.h"

namespace pileus::virtio {

struct PortForward {
  std::string host_address = "127.0.0.1";
  u16 host_port = 0;  // TCP
  u16 guest_port = 0;
};

struct SlirpOptions {
  std::string host_name = {};  // given to the guest by DHCP; may be empty
  std::vector<PortForward> forwards = {};
  bool restricted = false;  // no way outward: only the forwards work
  // The gateway's address leads to 127.0.0.1 of the host. Off by default: services there rarely
  // expect guests.
  bool host_loopback = false;
  u16 mtu = 1500;
};

class SlirpBackend : public NetBackend {
 public:
  // Any thread; `loop` is the I/O thread's and must outlive the backend. kBusy when a port of the
  // host is taken.
  static Result<std::unique_ptr<SlirpBackend>> create(os::EventLoop& loop, const SlirpOptions& options);
  ~SlirpBackend() override;

  void send(std::span<const u8> frame) override;
  void set_receiver(Receiver receiver) override;
  bool checksums_verified() const override { return true; }

  struct Impl;

 private:
  explicit SlirpBackend(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace pileus::virtio
