// GuestDisk: a disk that the guest has, whatever it is attached by.
#pragma once

#include "virtio/block_backend.h"

namespace pileus::virtio {

class GuestDisk {
 public:
  virtual ~GuestDisk() = default;
  // The I/O thread's.
  virtual BlockBackend& backend() = 0;
  // On the I/O thread, after the backend's size may have changed: tells the driver, where there is a way to.
  virtual void resized() = 0;
};

}  // namespace pileus::virtio
