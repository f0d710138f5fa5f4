// NetBackend: the network at the other end of a virtual network card.
//
// Everything happens on the device's I/O thread, the receiver's calls included.
#pragma once

#include <functional>
#include <span>

#include "base/ints.h"

namespace pileus::virtio {

class NetBackend {
 public:
  // Gets whole Ethernet frames, without the trailing check sequence; the bytes are valid during the
  // call.
  using Receiver = std::function<void(std::span<const u8> frame)>;

  virtual ~NetBackend() = default;
  // Takes a frame from the guest, of any content and length. Drops it if it cannot be sent now.
  virtual void send(std::span<const u8> frame) = 0;
  // An empty function ends reception. A frame may be received inside send().
  virtual void set_receiver(Receiver receiver) = 0;
  // Whether the checksums in received frames are known to be right.
  virtual bool checksums_verified() const { return false; }
};

}  // namespace pileus::virtio
