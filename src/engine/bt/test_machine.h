// TestMachine: a small machine with bare vCPUs, for tests of the system side. Nothing runs.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "engine/bt/context.h"
#include "engine/bt/vcpu.h"
#include "engine/bt/vm.h"
#include "guest/bus.h"
#include "guest/memory.h"

namespace pileus::engine::bt {

class EoiRecorder final : public EoiListener {
 public:
  void on_eoi(u8 vector) override { ended.push_back(vector); }
  std::vector<u8> ended;
};

class TestMachine : public ::testing::Test {
 protected:
  static constexpr u64 kRam = 16 * kMiB;
  // Where the tests put what the processor looks at.
  static constexpr u64 kPml4 = 0x10000, kPdpt = 0x11000, kPd = 0x12000, kPt = 0x13000, kGdt = 0x20000, kIdt = 0x21000,
                       kTss = 0x22000;

  void SetUp() override { start(1); }
  void start(u32 cpus) {
    vcpus.clear();
    vm.reset();
    auto created = guest::GuestMemory::create(kRam, 3 * kGiB);
    ASSERT_TRUE(created.ok());
    memory = std::make_unique<guest::GuestMemory>(std::move(*created));
    Config config;
    config.memory = memory.get();
    config.mmio = &mmio;
    config.ports = &ports;
    config.eoi = &eoi;
    config.cpu_count = cpus;
    config.translation_cache_bytes = 4 * kMiB;
    config.translation_cache_file = translations;
    auto made = Vm::create(config);
    ASSERT_TRUE(made.ok());
    vm = std::move(*made);
    for (u32 id = 0; id < cpus; ++id) {
      auto vcpu = BtVcpu::create(*vm, id);
      ASSERT_TRUE(vcpu.ok());
      vcpus.push_back(std::move(*vcpu));
    }
  }

  Context& cpu(u32 id = 0) { return *vm->contexts()[id]; }

  template <typename T>
  void poke(u64 gpa, T value) {
    ASSERT_TRUE(memory->write(gpa, {reinterpret_cast<const u8*>(&value), sizeof value}));
  }
  template <typename T>
  T peek(u64 gpa) const {
    T value{};
    EXPECT_TRUE(memory->read(gpa, {reinterpret_cast<u8*>(&value), sizeof value}));
    return value;
  }

  // 64-bit mode at CPL 0 with tables that map nothing yet; WP, SMEP, SMAP, NX and PGE are on.
  void enter_long_mode() {
    Context& c = cpu();
    poke(kPml4, kPdpt | 7);
    poke(kPdpt, kPd | 7);
    poke(kPd, kPt | 7);
    c.cr3 = kPml4;
    c.cr4 = (1U << 5) | (1U << 7) | (1U << 20) | (1U << 21);
    c.cr0 = 0x80010033;
    c.efer = 0xD01;
    c.segment[kCs] = {8, 0xA09B, 0xFFFFFFFF, 0};
    c.segment[kSs] = {16, 0xC093, 0xFFFFFFFF, 0};
    c.gdtr = {kGdt, 0xFFF};
    c.idtr = {kIdt, 0xFFF};
  }
  // Maps the 4 KiB page of `va` (below 2 MiB).
  void map(u64 va, u64 gpa, u64 bits) { poke(kPt + (va >> 12) * 8, gpa | bits); }
  void identity_map() {
    for (u64 page = 0; page < 512; ++page) map(page << 12, page << 12, 0x103);  // supervisor, writable, global
  }

  std::string translations;  // the file, for the next start(); may be empty
  std::unique_ptr<guest::GuestMemory> memory;
  guest::Bus mmio, ports;
  EoiRecorder eoi;
  std::unique_ptr<Vm> vm;
  std::vector<std::unique_ptr<BtVcpu>> vcpus;
};

}  // namespace pileus::engine::bt
