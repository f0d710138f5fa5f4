// Msi: a function's capability of one interrupt message (PCI 3.0, 6.8.1). Under its function's lock.
#pragma once

#include <memory>

#include "guest/interrupt.h"
#include "virtio/pci_function.h"

namespace pileus::ahci {

class Msi {
 public:
  // Adds the capability to `config`, which must outlive it, as must the sink.
  Msi(virtio::PciConfigSpace& config, guest::MsiSink& sink);

  // After the guest wrote to the configuration space.
  void update();
  bool enabled() const { return enabled_; }
  // Sends the message; not while it is off.
  void signal();
  void reset();

 private:
  virtio::PciConfigSpace& config_;
  const u16 at_;
  std::unique_ptr<guest::MsiSource> source_;
  bool enabled_ = false;
};

}  // namespace pileus::ahci
