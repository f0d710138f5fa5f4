// Msix: the vector table and pending bits of MSI-X (PCI 3.0, 6.8.2). Any thread.
#pragma once

#include <mutex>
#include <vector>

#include "base/ints.h"
#include "guest/interrupt.h"

namespace pileus::virtio {

class Msix {
 public:
  static constexpr u64 kEntryBytes = 16;

  Msix(u16 vectors, guest::MsiSink& sink) : sink_(sink), entries_(vectors) {}

  // Sends vector `vector`, now or once it is unmasked. Ignored while MSI-X is off.
  void signal(u16 vector);
  u16 vectors() const { return static_cast<u16>(entries_.size()); }

  // The enable and function mask bits of message control.
  void set_control(bool enabled, bool masked);
  // All vectors masked and none pending, as after power-on.
  void reset();

  // Registers, by byte offset; out of range reads zero.
  u64 read_table(u64 offset, unsigned size) const;
  void write_table(u64 offset, unsigned size, u64 value);
  u64 read_pending(u64 offset, unsigned size) const;

 private:
  struct Entry {
    u64 address = 0;
    u32 data = 0;
    u32 control = 1;  // bit 0: masked
  };
  struct Message {
    u64 address;
    u32 data;
  };

  std::vector<Message> take_deliverable();  // under mutex_
  void send(const std::vector<Message>& messages);

  guest::MsiSink& sink_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;                                      // guarded by mutex_
  std::vector<bool> pending_ = std::vector<bool>(entries_.size());  // guarded by mutex_
  bool enabled_ = false;                                            // guarded by mutex_
  bool masked_ = false;                                             // guarded by mutex_
};

}  // namespace pileus::virtio
