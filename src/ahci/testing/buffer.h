// For tests: guest memory with a table that names one piece of it.
#pragma once

#include "ahci/transfer.h"
#include "virtio/fake_driver.h"

namespace pileus::ahci::testing {

class Buffer {
 public:
  explicit Buffer(u32 bytes) {
    virtio::testing::poke(memory_, 0, kAt);
    virtio::testing::poke(memory_, 12, bytes - 1);
    transfer_ = Transfer::read(memory_, 0, 1);
  }
  Transfer& transfer() { return *transfer_; }
  u8 byte(u64 offset) const { return virtio::testing::peek<u8>(memory_, kAt + offset); }
  u16 word(u64 index) const { return virtio::testing::peek<u16>(memory_, kAt + 2 * index); }
  void set(u64 offset, u8 value) { virtio::testing::poke(memory_, kAt + offset, value); }
  void set_long(u64 offset, u64 value) { virtio::testing::poke(memory_, kAt + offset, value); }

 private:
  static constexpr guest::Gpa kAt = 0x1000;
  guest::GuestMemory memory_ = virtio::testing::make_memory();
  std::optional<Transfer> transfer_;
};

}  // namespace pileus::ahci::testing
