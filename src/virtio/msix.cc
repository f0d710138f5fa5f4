#include "virtio/msix.h"

#include <cstring>

namespace pileus::virtio {

namespace {
constexpr u32 kVectorMasked = 1;

bool fits(u64 offset, unsigned size, u64 total) {
  return (size == 1 || size == 2 || size == 4 || size == 8) && offset < total && size <= total - offset;
}
}  // namespace

void Msix::signal(u16 vector) {
  std::vector<Message> messages;
  {
    const std::lock_guard lock(mutex_);
    if (vector >= entries_.size() || !enabled_) return;
    pending_[vector] = true;
    messages = take_deliverable();
  }
  send(messages);
}

void Msix::set_control(bool enabled, bool masked) {
  std::vector<Message> messages;
  {
    const std::lock_guard lock(mutex_);
    enabled_ = enabled;
    masked_ = masked;
    messages = take_deliverable();
  }
  send(messages);
}

void Msix::reset() {
  const std::lock_guard lock(mutex_);
  entries_.assign(entries_.size(), Entry{});
  pending_.assign(entries_.size(), false);
  enabled_ = false;
  masked_ = false;
}

std::vector<Msix::Message> Msix::take_deliverable() {
  std::vector<Message> messages;
  if (!enabled_ || masked_) return messages;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!pending_[i] || (entries_[i].control & kVectorMasked) != 0) continue;
    pending_[i] = false;
    messages.push_back({entries_[i].address, entries_[i].data});
  }
  return messages;
}

// Without the lock: the sink may wake a vCPU that comes back here at once.
void Msix::send(const std::vector<Message>& messages) {
  for (const Message& message : messages) sink_.signal_msi(message.address, message.data);
}

u64 Msix::read_table(u64 offset, unsigned size) const {
  static_assert(sizeof(Entry) == kEntryBytes);
  const std::lock_guard lock(mutex_);
  u64 value = 0;
  if (!fits(offset, size, entries_.size() * kEntryBytes)) return 0;
  if (offset % kEntryBytes + size > kEntryBytes) return 0;
  u8 bytes[kEntryBytes];
  std::memcpy(bytes, &entries_[offset / kEntryBytes], kEntryBytes);
  std::memcpy(&value, bytes + offset % kEntryBytes, size);
  return value;
}

void Msix::write_table(u64 offset, unsigned size, u64 value) {
  std::vector<Message> messages;
  {
    const std::lock_guard lock(mutex_);
    if (!fits(offset, size, entries_.size() * kEntryBytes)) return;
    if (offset % kEntryBytes + size > kEntryBytes) return;
    Entry& entry = entries_[offset / kEntryBytes];
    u8 bytes[kEntryBytes];
    std::memcpy(bytes, &entry, kEntryBytes);
    std::memcpy(bytes + offset % kEntryBytes, &value, size);
    std::memcpy(&entry, bytes, kEntryBytes);
    messages = take_deliverable();  // the write may have unmasked the vector
  }
  send(messages);
}

u64 Msix::read_pending(u64 offset, unsigned size) const {
  const std::lock_guard lock(mutex_);
  u64 value = 0;
  for (unsigned bit = 0; bit < 8 * size && bit < 64; ++bit) {
    const u64 vector = 8 * offset + bit;
    if (vector < pending_.size() && pending_[vector]) value |= u64{1} << bit;
  }
  return value;
}

}  // namespace pileus::virtio
