// How devices raise interrupts, without knowing which engine runs the vCPUs.
#pragma once

#include "base/ints.h"

namespace pileus::guest {

// Takes message-signalled interrupts: a 32-bit `data` written to `address` (0xFEExxxxx). Implemented by the engine,
// which owns the local APICs; the IOAPIC and MSI-X send through it. Any thread.
class MsiSink {
 public:
  virtual ~MsiSink() = default;
  virtual void signal_msi(u64 address, u32 data) = 0;
};

// One wire into an interrupt controller, e.g. an IOAPIC pin. Any thread.
class InterruptLine {
 public:
  virtual ~InterruptLine() = default;
  virtual void set(bool level) = 0;  // an edge-triggered pin fires on a rise
};

}  // namespace pileus::guest
