// Msix: the vector table and pending bits of MSI-X (PCI 3.0, 6.8.2). Any thread.
//
// Each vector is a source of interrupt messages, whose route follows the table: there is none while the vector is masked, and
// what is signalled meanwhile the source keeps as the pending bit.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/ints.h"
#include "guest/interrupt.h"

namespace pileus::virtio {

class Msix {
 public:
  static constexpr u64 kEntryBytes = 16;

  // The sink must outlive it.
  Msix(u16 vectors, guest::MsiSink& sink);

  // Sends vector `vector`, now or once it is unmasked. Ignored while MSI-X is off. Does not wait for who changes the table.
  void signal(u16 vector);
  u16 vectors() const { return static_cast<u16>(sources_.size()); }

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

  void route(std::size_t vector);  // as table and message control say; under mutex_

  std::vector<std::unique_ptr<guest::MsiSource>> sources_;
  std::atomic<bool> enabled_ = false;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // guarded by mutex_
  bool masked_ = false;  // guarded by mutex_
};

}  // namespace pileus::virtio
