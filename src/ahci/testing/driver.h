// For tests: an adapter on a bus, and the driver's side of it.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "ahci/adapter.h"
#include "virtio/fake_driver.h"

namespace pileus::ahci::testing {

using virtio::testing::peek;
using virtio::testing::poke;

struct Piece {
  guest::Gpa address;
  u32 bytes;
};

class Sink : public guest::MsiSink {
 public:
  void signal_msi(u64, u32) override { ++messages; }
  std::atomic<int> messages = 0;
};

class Line : public guest::InterruptLine {
 public:
  void set(bool level) override { high = level; }
  std::atomic<bool> high = false;
};

class Driver {
 public:
  static constexpr u64 kRam = 4 * kMiB, kBar = 0xC0000000;
  static constexpr guest::Gpa kList = 0x10000, kReceived = 0x11000, kTables = 0x20000, kTableBytes = 0x1000,
                              kData = 0x100000;
  static constexpr u32 kMessages = 1;

  Driver() {
    config(virtio::kPciBar0 + 4 * Adapter::kBarIndex, 4, kBar);
    config(virtio::kPciCommand, 2, virtio::kPciCommandMemory | virtio::kPciCommandMaster);
  }

  u32 config_read(u16 offset, unsigned size) { return adapter->config_read(offset, size); }
  void config(u16 offset, unsigned size, u32 value) { adapter->config_write(offset, size, value); }
  // To the APIC 0, vector 0x50.
  void use_messages() {
    constexpr u16 kCapability = 0x40;
    config(kCapability + 4, 4, 0xFEE00000);
    config(kCapability + 12, 2, 0x50);
    config(kCapability + 2, 2, 1);
  }

  u32 get(u64 offset) {
    u64 value = 0;
    EXPECT_TRUE(bus.read(kBar + offset, 4, &value));
    return static_cast<u32>(value);
  }
  void set(u64 offset, u32 value) { EXPECT_TRUE(bus.write(kBar + offset, 4, value)); }
  static u64 port_at(u64 offset, u32 port = 0) { return kPortsAt + port * kPortBytes + offset; }
  u32 port(u64 offset, u32 number = 0) { return get(port_at(offset, number)); }
  void set_port(u64 offset, u32 value, u32 number = 0) { set(port_at(offset, number), value); }

  void start(u32 number = 0) {
    set_port(kPxClb, kList, number);
    set_port(kPxFb, kReceived, number);
    set_port(kPxSerr, ~0u, number);
    set_port(kPxIs, ~0u, number);
    set_port(kPxIe, kIntAll, number);
    set(kIs, ~0u);
    set(kGhc, kGhcInterrupts);
    set_port(kPxCmd, kCmdReceive, number);
    set_port(kPxCmd, kCmdReceive | kCmdStart, number);
  }
  void stop(u32 number = 0) {
    set_port(kPxCmd, kCmdReceive, number);
    wait([&] { return (port(kPxCmd, number) & kCmdRunning) == 0; });
  }

  template <typename Condition>
  static void wait(Condition&& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  static std::vector<u8> fis(const Registers& registers) {
    std::vector<u8> bytes(kRegisterFisBytes);
    bytes[0] = 0x27;
    bytes[1] = registers.is_command ? 0x80 : 0;
    bytes[2] = registers.command;
    bytes[3] = static_cast<u8>(registers.features);
    bytes[7] = registers.device;
    for (unsigned i = 0; i < 3; ++i) {
      bytes[4 + i] = static_cast<u8>(registers.lba >> 8 * i);
      bytes[8 + i] = static_cast<u8>(registers.lba >> (24 + 8 * i));
    }
    bytes[11] = static_cast<u8>(registers.features >> 8);
    bytes[12] = static_cast<u8>(registers.count);
    bytes[13] = static_cast<u8>(registers.count >> 8);
    bytes[15] = registers.control;
    return bytes;
  }
  static guest::Gpa table(u32 slot) { return kTables + slot * kTableBytes; }
  static guest::Gpa header(u32 slot) { return kList + 32 * u64{slot}; }

  void prepare(u32 slot, const Registers& registers, const std::vector<Piece>& pieces,
               const std::vector<u8>& packet = {}) {
    ASSERT_TRUE(memory.write(table(slot), fis(registers)));
    ASSERT_TRUE(memory.write(table(slot) + 0x40, packet));
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      poke(memory, table(slot) + 0x80 + 16 * i, pieces[i].address);
      poke(memory, table(slot) + 0x80 + 16 * i + 12, pieces[i].bytes - 1);
    }
    poke(memory, header(slot), static_cast<u32>(5 | pieces.size() << 16));
    poke(memory, header(slot) + 4, u32{0});
    poke(memory, header(slot) + 8, table(slot));
  }
  // Issues a command by slot 0 and waits until the port has said how it ended.
  void run(const Registers& registers, const std::vector<Piece>& pieces, const std::vector<u8>& packet = {},
           u32 number = 0) {
    prepare(0, registers, pieces, packet);
    set_port(kPxIs, ~0u, number);
    set_port(kPxCi, 1, number);
    wait([&] { return port(kPxIs, number) != 0; });
  }
  u32 bytes_done(u32 slot = 0) const { return peek<u32>(memory, header(slot) + 4); }
  u8 received(u64 offset) const { return peek<u8>(memory, kReceived + offset); }

  guest::GuestMemory memory = virtio::testing::make_memory(kRam);
  guest::Bus bus;
  Sink sink;
  Line line;
  std::unique_ptr<virtio::IoThread> io = virtio::IoThread::start("test-io").value();
  std::unique_ptr<Adapter> adapter = Adapter::create({memory, bus, sink, &line, *io}, 2).value();
};

}  // namespace pileus::ahci::testing
