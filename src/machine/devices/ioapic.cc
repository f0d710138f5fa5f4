#include "machine/devices/ioapic.h"

namespace pileus::machine {

namespace {
// Memory-mapped registers.
constexpr u64 kSelect = 0x00, kWindow = 0x10, kEoi = 0x40;
// Registers behind the window.
constexpr u8 kIdRegister = 0, kVersionRegister = 1, kArbitrationRegister = 2, kFirstEntry = 0x10;
constexpr u32 kVersion = 0x20 | (Ioapic::kPins - 1) << 16;

// Redirection table entry.
constexpr u64 kRemoteIrr = 1 << 14, kLevelTriggered = 1 << 15, kMask = 1 << 16;
constexpr u64 kReadOnly = kRemoteIrr | 1 << 12;  // and delivery status, which is always idle here

constexpr u8 vector_of(u64 entry) { return static_cast<u8>(entry); }
}  // namespace

std::array<Ioapic::Line, Ioapic::kPins> Ioapic::make_lines() {
  std::array<Line, kPins> lines;
  for (unsigned pin = 0; pin < kPins; ++pin) lines[pin].attach(this, pin);
  return lines;
}

u64 Ioapic::read(u64 offset, unsigned /*size*/) {
  const std::scoped_lock lock(mutex_);
  if (offset == kSelect) return selected_;
  if (offset == kWindow) return read_register(selected_);
  return 0;
}

void Ioapic::write(u64 offset, unsigned /*size*/, u64 value) {
  if (offset == kEoi) {
    on_eoi(static_cast<u8>(value));
    return;
  }
  std::optional<Message> message;
  {
    const std::scoped_lock lock(mutex_);
    if (offset == kSelect) selected_ = static_cast<u8>(value);
    if (offset == kWindow) message = write_register(selected_, static_cast<u32>(value));
  }
  send(message);
}

u32 Ioapic::read_register(u8 index) const {
  if (index == kIdRegister || index == kArbitrationRegister) return id_;
  if (index == kVersionRegister) return kVersion;
  const unsigned pin = (index - kFirstEntry) / 2u;
  if (index < kFirstEntry || pin >= kPins) return 0;
  return static_cast<u32>(index % 2 == 0 ? entries_[pin] : entries_[pin] >> 32);
}

std::optional<Ioapic::Message> Ioapic::write_register(u8 index, u32 value) {
  if (index == kIdRegister) id_ = value & 0x0F000000;
  const unsigned pin = (index - kFirstEntry) / 2u;
  if (index < kFirstEntry || pin >= kPins) return std::nullopt;
  u64& entry = entries_[pin];
  if (index % 2 == 1) {
    entry = (entry & 0xFFFFFFFF) | u64{value} << 32;
    return std::nullopt;
  }
  entry = (entry & ~(u64{0xFFFFFFFF} & ~kReadOnly)) | (value & ~kReadOnly);
  // An edge-triggered pin has no remote IRR; switching to edge is how software clears a stuck one.
  if ((entry & kLevelTriggered) == 0) {
    entry &= ~kRemoteIrr;
    return std::nullopt;
  }
  return deliver_if_asserted(pin);
}

void Ioapic::set_pin(unsigned pin, bool level) {
  std::optional<Message> message;
  {
    const std::scoped_lock lock(mutex_);
    const bool rose = level && !levels_[pin];
    levels_[pin] = level;
    if ((entries_[pin] & kLevelTriggered) != 0) {
      message = deliver_if_asserted(pin);
    } else if (rose && (entries_[pin] & kMask) == 0) {
      message = deliver(pin);
    }
  }
  send(message);
}

std::optional<Ioapic::Message> Ioapic::deliver_if_asserted(unsigned pin) {
  if (!levels_[pin] || (entries_[pin] & (kMask | kRemoteIrr)) != 0) return std::nullopt;
  return deliver(pin);
}

// A redirection entry and a message say the same in other places (Intel SDM vol. 3, 11.11). Bits
// 49-55 carry the high destination bits of KVM's extended destination id, which a message has in
// address bits 5-11.
std::optional<Ioapic::Message> Ioapic::deliver(unsigned pin) {
  u64& entry = entries_[pin];
  constexpr u64 kMessageBase = 0xFEE00000;
  constexpr u32 kAssert = 1 << 14;
  const u64 destination = entry >> 56 & 0xFF;
  const u64 extended = entry >> 49 & 0x7F;
  const u64 logical = entry >> 11 & 1;
  const auto mode_and_vector = static_cast<u32>(entry & 0x7FF);
  const bool level = (entry & kLevelTriggered) != 0;
  if (level) entry |= kRemoteIrr;
  return Message{kMessageBase | destination << 12 | extended << 5 | logical << 2,
                 mode_and_vector | kAssert | (level ? static_cast<u32>(kLevelTriggered) : 0)};
}

void Ioapic::on_eoi(u8 vector) {
  std::array<std::optional<Message>, kPins> messages;
  {
    const std::scoped_lock lock(mutex_);
    for (unsigned pin = 0; pin < kPins; ++pin) {
      u64& entry = entries_[pin];
      if (vector_of(entry) != vector || (entry & kRemoteIrr) == 0) continue;
      entry &= ~kRemoteIrr;
      messages[pin] = deliver_if_asserted(pin);
    }
  }
  for (const auto& message : messages) send(message);
}

void Ioapic::send(const std::optional<Message>& message) const {
  if (message && sink_ != nullptr) sink_->signal_msi(message->address, message->data);
}

void Ioapic::reset() {
  const std::scoped_lock lock(mutex_);
  entries_ = all_masked();
  selected_ = 0;
  id_ = 0;
}

}  // namespace pileus::machine
