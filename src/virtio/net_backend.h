// NetBackend: the network at the other end of a virtual network card.
//
// Everything happens on the device's I/O thread, the receiver's calls included.
#pragma once

#include <functional>
#include <span>

#include "base/ints.h"
#include "packet/offload.h"

namespace pileus::virtio {

class NetBackend {
 public:
  // Gets whole Ethernet frames, without the trailing check sequence; the bytes are valid during the
  // call. `offload` says what is left to be done to the frame.
  using Receiver = std::function<void(const packet::Offload& offload, std::span<const u8> frame)>;

  virtual ~NetBackend() = default;
  // Takes a frame from the guest, of any content and at most packet::kMaxFrame bytes, with no more left to do than
  // takes_offloads() allows; may change the bytes. Drops it if it cannot be sent at all.
  virtual void send(const packet::Offload& offload, std::span<u8> frame) = 0;
  // An empty function ends reception. A frame may be received inside send().
  virtual void set_receiver(Receiver receiver) = 0;
  // Whether send() takes frames without checksum and TCP segments larger than the network's packets.
  virtual bool takes_offloads() const { return false; }
  // False: frames sent now would be lost, `ready` will be called when not.
  virtual bool can_send() const { return true; }
  // By value, because a backend that ever calls it keeps it.
  virtual void set_ready(std::function<void()> /*ready*/) {}  // NOLINT(performance-unnecessary-value-param)
};

}  // namespace pileus::virtio
