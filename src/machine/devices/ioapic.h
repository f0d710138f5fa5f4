// Ioapic: an I/O APIC with 24 pins (Intel 82093AA datasheet; the EOI register is that of version
// 0x20, as in Intel's ICH). It turns pins into messages for the local APICs.
//
// Any thread. Messages are sent without holding the lock, so that a local APIC may call on_eoi()
// under its own.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/engine.h"
#include "guest/bus.h"
#include "guest/interrupt.h"

namespace pileus::machine {

class Ioapic : public guest::BusDevice, public engine::EoiListener {
 public:
  static constexpr unsigned kPins = 24;

  // The engine owns the local APICs but needs the IOAPIC to be made, so the sink comes later:
  // before any pin is set.
  void set_sink(guest::MsiSink* sink) { sink_ = sink; }

  // The wire into `pin`; lives as long as the Ioapic.
  guest::InterruptLine& line(unsigned pin) { return lines_[pin]; }

  u64 read(u64 offset, unsigned size) override;
  void write(u64 offset, unsigned size, u64 value) override;
  void on_eoi(u8 vector) override;
  // Power-on state: all pins masked. Levels on the wires stay.
  void reset();

 private:
  class Line : public guest::InterruptLine {
   public:
    void attach(Ioapic* ioapic, unsigned pin) {
      ioapic_ = ioapic;
      pin_ = pin;
    }
    void set(bool level) override { ioapic_->set_pin(pin_, level); }

   private:
    Ioapic* ioapic_ = nullptr;
    unsigned pin_ = 0;
  };
  struct Message {
    u64 address;
    u32 data;
  };

  void set_pin(unsigned pin, bool level);
  u32 read_register(u8 index) const;                           // under mutex_
  std::optional<Message> write_register(u8 index, u32 value);  // under mutex_
  std::optional<Message> deliver(unsigned pin);                // under mutex_
  std::optional<Message> deliver_if_asserted(unsigned pin);    // under mutex_
  void send(const std::optional<Message>& message) const;

  guest::MsiSink* sink_ = nullptr;
  std::array<Line, kPins> lines_ = make_lines();
  std::array<Line, kPins> make_lines();

  static constexpr u64 kMasked = 1 << 16;
  static constexpr std::array<u64, kPins> all_masked() {
    std::array<u64, kPins> entries{};
    entries.fill(kMasked);
    return entries;
  }

  mutable std::mutex mutex_;
  std::array<u64, kPins> entries_ = all_masked();  // redirection table; guarded by mutex_
  std::array<bool, kPins> levels_{};               // the wires; guarded by mutex_
  u8 selected_ = 0;                                // guarded by mutex_
  u32 id_ = 0;                                     // guarded by mutex_
};

}  // namespace pileus::machine
