// SwitchBackend: a virtual network card on a port of the host's virtual switch (pileus-switchd): a local socket that keeps
// messages apart, each a packet::Offload and a frame (docs/formats/switch-port.md).
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/event_loop.h"
#include "os/fd.h"
#include "virtio/net_backend.h"

namespace pileus::virtio {

class SwitchBackend : public NetBackend {
 public:
  // Any thread; `loop` is the I/O thread's and must outlive the backend. While nobody listens at `path`, frames are lost and
  // it tries again.
  static Result<std::unique_ptr<SwitchBackend>> create(os::EventLoop& loop, std::string path);
  ~SwitchBackend() override;

  void send(const packet::Offload& offload, std::span<u8> frame) override;
  void set_receiver(Receiver receiver) override { receiver_ = std::move(receiver); }
  bool takes_offloads() const override { return true; }
  bool can_send() const override { return !blocked_; }
  void set_ready(std::function<void()> ready) override { ready_ = std::move(ready); }

 private:
  SwitchBackend(os::EventLoop& loop, std::string path) : loop_(loop), path_(std::move(path)) {}
  Result<> start();
  void connect();
  void disconnect();
  void on_events(u32 events);
  void receive();
  void watch_for_room(bool wanted);

  os::EventLoop& loop_;
  const std::string path_;
  os::Fd socket_;  // invalid while there is no switch
  std::unique_ptr<os::Timer> retry_;
  Receiver receiver_;
  std::function<void()> ready_;
  bool blocked_ = false;  // the socket is full: `held_` waits for room
  packet::Offload held_offload_;
  std::vector<u8> held_;
  std::vector<u8> incoming_;
};

}  // namespace pileus::virtio
