#include "virtio/msix.h"

#include <cstring>

namespace pileus::virtio {

namespace {
constexpr u32 kVectorMasked = 1;

bool fits(u64 offset, unsigned size, u64 total) {
  return (size == 1 || size == 2 || size == 4 || size == 8) && offset < total && size <= total - offset;
}
}  // namespace

Msix::Msix(u16 vectors, guest::MsiSink& sink) : entries_(vectors) {
  for (u16 i = 0; i < vectors; ++i) sources_.push_back(sink.make_source());
}

void Msix::signal(u16 vector) {
  if (vector < sources_.size() && enabled_) sources_[vector]->signal();
}

void Msix::set_control(bool enabled, bool masked) {
  const std::lock_guard lock(mutex_);
  enabled_ = enabled;
  masked_ = masked;
  for (std::size_t i = 0; i < sources_.size(); ++i) route(i);
}

void Msix::reset() {
  const std::lock_guard lock(mutex_);
  entries_.assign(entries_.size(), Entry{});
  enabled_ = false;
  masked_ = false;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    route(i);
    sources_[i]->forget();
  }
}

void Msix::route(std::size_t vector) {
  const Entry& entry = entries_[vector];
  std::optional<guest::MsiMessage> message;
  if (enabled_ && !masked_ && (entry.control & kVectorMasked) == 0) message = {entry.address, entry.data};
  sources_[vector]->set_route(message);
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
  const std::lock_guard lock(mutex_);
  if (!fits(offset, size, entries_.size() * kEntryBytes)) return;
  if (offset % kEntryBytes + size > kEntryBytes) return;
  const std::size_t vector = offset / kEntryBytes;
  u8 bytes[kEntryBytes];
  std::memcpy(bytes, &entries_[vector], kEntryBytes);
  std::memcpy(bytes + offset % kEntryBytes, &value, size);
  std::memcpy(&entries_[vector], bytes, kEntryBytes);
  route(vector);
}

u64 Msix::read_pending(u64 offset, unsigned size) const {
  u64 value = 0;
  for (unsigned bit = 0; bit < 8 * size && bit < 64; ++bit) {
    const u64 vector = 8 * offset + bit;
    if (vector < sources_.size() && sources_[vector]->pending()) value |= u64{1} << bit;
  }
  return value;
}

}  // namespace pileus::virtio
