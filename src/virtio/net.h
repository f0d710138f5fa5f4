// Net: virtio-net (virtio 1.2, 5.1) with one pair of queues.
//
// Frames for a guest that has no receive buffer wait in a bounded queue and are dropped beyond it. What the guest leaves to
// its card, checksums and cutting TCP segments, is left to the backend if that can do it.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "packet/bytes.h"
#include "virtio/device.h"
#include "virtio/net_backend.h"

namespace pileus::virtio {

using packet::MacAddress;

class Net : public Device {
 public:
  // `mtu`: bytes of the largest IP packet, 68..65535; told to the guest.
  Net(std::unique_ptr<NetBackend> backend, const MacAddress& mac, u16 mtu = 1500);
  ~Net() override;

  DeviceId id() const override { return DeviceId::kNet; }
  u64 features() const override;
  std::span<const u16> queue_sizes() const override;
  void read_config(u32 offset, std::span<u8> out) const override;
  void write_config(u32 offset, std::span<const u8> data) override;
  void activate(Activation activation) override;
  void reset() override;
  void notify(u16 queue) override;

  // Frames lost because the guest had no buffer for them. I/O thread only.
  u64 dropped_frames() const { return dropped_; }

 private:
  enum class Delivery { kDone, kNoBuffers, kTooBig };

  void receive(const packet::Offload& offload, std::span<const u8> frame);
  void receive_segments(const packet::Offload& offload, std::span<const u8> frame);
  Delivery take_buffers(u64 total, u16& count);
  Delivery deliver(packet::Offload offload, std::span<const u8> frame);
  void deliver_waiting();
  void transmit();
  void transmit_chain(const Chain& chain);

  std::unique_ptr<NetBackend> backend_;
  MacAddress mac_;
  u16 mtu_;
  Activation active_;
  bool running_ = false;
  Chain chain_;
  std::vector<Chain> buffers_;  // of one received frame
  std::vector<u8> frame_;  // being sent
  std::vector<u8> finished_;  // a received frame with what the guest does not do itself
  struct Waiting {
    packet::Offload offload;
    std::vector<u8> frame;
  };
  std::deque<Waiting> waiting_;
  u64 dropped_ = 0;
};

}  // namespace pileus::virtio
