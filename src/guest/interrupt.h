// How devices raise interrupts, without knowing which engine runs the vCPUs.
#pragma once

#include <memory>
#include <optional>

#include "base/ints.h"

namespace pileus::guest {

// A message-signalled interrupt: `data` written to `address`, which is 0xFEExxxxx for the local APICs.
struct MsiMessage {
  u64 address = 0;
  u32 data = 0;
  bool operator==(const MsiMessage&) const = default;
};

// Whether such a write reaches the local APICs (Intel SDM vol. 3, 11.11); others go to memory, where nobody looks.
inline bool is_interrupt(const MsiMessage& message) { return message.address >> 20 == 0xFEE; }

// Something that sends one message again and again, as a vector of MSI-X does. Which one, its *route*, others say. Without
// a route (the vector is masked) a signal is kept, and sent once there is a route. Any thread.
class MsiSource {
 public:
  virtual ~MsiSource() = default;
  // Sends the message. As cheap as the engine knows how: devices call it for every request.
  virtual void signal() = 0;
  // When this returns, nothing is sent by an earlier route any more.
  virtual void set_route(const std::optional<MsiMessage>& route) = 0;
  virtual bool pending() const = 0;  // a signal is kept
  virtual void forget() = 0;  // the signal that is kept
};

// Takes messages. Implemented by the engine, which owns the local APICs; the IOAPIC and MSI-X send through it. Any thread.
class MsiSink {
 public:
  virtual ~MsiSink() = default;
  virtual void signal_msi(u64 address, u32 data) = 0;
  // A source that sends here; it must not outlive the sink. An engine may know of a better way than signal_msi(), which
  // is what this one calls.
  virtual std::unique_ptr<MsiSource> make_source();
};

// One wire into an interrupt controller, e.g. an IOAPIC pin. Any thread.
class InterruptLine {
 public:
  virtual ~InterruptLine() = default;
  virtual void set(bool level) = 0;  // an edge-triggered pin fires on a rise
};

}  // namespace pileus::guest
