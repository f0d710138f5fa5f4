// UserNetwork: a network in user space, for which no privilege is needed. libslirp ends a guest's connections here and opens
// them anew as sockets of this process; chosen ports of the host lead into the guest.
//
// Everything happens on the event loop's thread, the receiver's calls included.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/ints.h"
#include "base/result.h"
#include "os/event_loop.h"

namespace pileus::nat {

// IPv4 addresses as numbers: 10.0.2.0 is 0x0A000200.
struct UserNetworkOptions {
  u32 network = 0x0A00'0200;
  u32 mask = 0xFFFF'FF00;
  u32 gateway = 0x0A00'0202;  // also whom the guest sees behind connections from this machine
  u32 name_server = 0x0A00'0203;  // passes questions on to the host's
  u32 guest = 0x0A00'020F;  // what DHCP gives it
  std::string host_name = {};  // given to the guest by DHCP; may be empty
  bool restricted = false;  // no way outward: only the forwards work
  // The gateway's address leads to 127.0.0.1 of the host. Off by default: services there rarely expect guests.
  bool host_loopback = false;
  u16 mtu = 1500;
};

// A TCP port of the host that leads into the guest.
struct Forward {
  std::string host_address = "127.0.0.1";
  u16 host_port = 0;
  u32 guest_address = 0;  // 0: the one that DHCP gives
  u16 guest_port = 0;
  bool operator==(const Forward&) const = default;
};

class UserNetwork {
 public:
  // Gets whole Ethernet frames for the guest; the bytes are valid during the call.
  using Receiver = std::function<void(std::span<const u8> frame)>;

  // `loop` must outlive the network.
  static Result<std::unique_ptr<UserNetwork>> create(os::EventLoop& loop, const UserNetworkOptions& options);
  ~UserNetwork();
  UserNetwork(const UserNetwork&) = delete;
  UserNetwork& operator=(const UserNetwork&) = delete;

  // kBusy when the host's port is taken.
  Result<> add_forward(const Forward& forward);
  void remove_forward(const Forward& forward);
  // The guest's connections to this address of the network go to the local socket at `path`.
  Result<> add_service(u32 address, u16 port, const std::string& path);

  // A frame from the guest, of any content and length. A frame may be received inside.
  void send(std::span<const u8> frame);
  // An empty function ends reception.
  void set_receiver(Receiver receiver);

  struct Impl;

 private:
  explicit UserNetwork(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace pileus::nat
