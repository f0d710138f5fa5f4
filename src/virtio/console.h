// Console: virtio-console (virtio 1.2, 5.3) with one port.
#pragma once

#include <deque>
#include <memory>

#include "guest/char_backend.h"
#include "os/event_loop.h"
#include "virtio/device.h"

namespace pileus::virtio {

class Console : public Device {
 public:
  // `loop` is the I/O thread's. Both must outlive the device; the backend's input is taken over.
  Console(guest::CharBackend& backend, os::EventLoop& loop);
  ~Console() override;

  DeviceId id() const override { return DeviceId::kConsole; }
  u64 features() const override { return 0; }
  std::span<const u16> queue_sizes() const override;
  void read_config(u32 offset, std::span<u8> out) const override;
  void write_config(u32 offset, std::span<const u8> data) override;
  void activate(Activation activation) override;
  void reset() override;
  void notify(u16 queue) override;

 private:
  void transmit();
  void deliver_input();

  guest::CharBackend& backend_;
  Activation active_;
  bool running_ = false;
  Chain chain_;
  std::deque<u8> input_;  // typed, not yet taken by the guest
  // Input arrives on another thread and is posted to the loop; a post that runs after this device
  // is gone finds the pointer empty.
  std::shared_ptr<Console*> self_;
};

}  // namespace pileus::virtio
