// Tunnel: frames between the switches of two hosts, in UDP as VXLAN has them (RFC 7348).
//
// Neither encrypted nor authenticated but by the sender's address: hosts need a network of their own for it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "os/event_loop.h"
#include "os/fd.h"
#include "vswitch/config.h"

namespace pileus::vswitch {

class Tunnel {
 public:
  // The bytes may be changed.
  using Receiver = std::function<void(const Endpoint& host, u32 network, std::span<u8> frame)>;

  // On the loop's thread, as everything here; `loop` must outlive the tunnel. kBusy when the port is taken.
  static Result<std::unique_ptr<Tunnel>> create(os::EventLoop& loop, const Endpoint& here, Receiver receiver);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  const Endpoint& here() const { return here_; }
  // Drops the frame when the network has no room for it now.
  void send(const Endpoint& host, u32 network, std::span<const u8> frame);

 private:
  Tunnel(os::EventLoop& loop, const Endpoint& here, Receiver receiver)
      : loop_(loop), here_(here), receiver_(std::move(receiver)), incoming_(kMostBytes) {}
  void receive();

  static constexpr std::size_t kMostBytes = 65'536;
  os::EventLoop& loop_;
  const Endpoint here_;
  const Receiver receiver_;
  os::Fd socket_;
  std::vector<u8> incoming_;
};

}  // namespace pileus::vswitch
