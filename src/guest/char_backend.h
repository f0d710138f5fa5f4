// CharBackend: where the characters of a serial port or console go, and where they come from.
#pragma once

#include <functional>
#include <span>

#include "base/ints.h"

namespace pileus::guest {

class CharBackend {
 public:
  using Input = std::function<void(std::span<const u8>)>;

  virtual ~CharBackend() = default;
  // Takes what the guest sent. Called by the device's thread (a vCPU for a 16550, the I/O thread
  // for virtio-console), so it must not block for long: a slow reader loses characters.
  virtual void write(std::span<const u8> data) = 0;
  // `input` is called, on a thread of the backend's choice, with what people type. The bytes are
  // only valid during the call. An empty function ends it: after set_input() returned, the old
  // one is not called any more. Not to be called from inside `input`.
  virtual void set_input(Input input) = 0;
};

}  // namespace pileus::guest
