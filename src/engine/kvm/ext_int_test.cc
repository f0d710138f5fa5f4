// Interrupts of a legacy controller, through LINT0 of the first processor.
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "engine/engine.h"

namespace pileus::engine {
namespace {

constexpr u64 kCode = 0x1000, kHandler = 0x1100;
constexpr u8 kVector = 0x21;
constexpr u16 kExitPort = 0xF4, kWirePort = 0xF5;

// Real mode: raises the wire with interrupts off, then waits for what comes of it.
constexpr std::array<u8, 9> kWaits{
    0xB0, 0x01,       // mov al, 1
    0xE6, kWirePort,  // out 0xF5, al
    0x41,             // inc cx: it is not taken before STI
    0xFB,             // sti
    0xF4,             // wait: hlt
    0xEB, 0xFD,       // jmp wait
};
// Ends with CX as it found it.
constexpr std::array<u8, 4> kHandles{0xE6, kExitPort, 0xEB, 0xFC};

struct Port final : guest::BusDevice {
  u64 read(u64, unsigned) override { return 0xFF; }
  void write(u64 offset, unsigned, u64) override {
    if (offset == 0) vcpu->kick();
    else line->set(true);
  }
  Vcpu* vcpu = nullptr;
  guest::InterruptLine* line = nullptr;
};

struct Controller final : ExtIntSource {
  u8 acknowledge() override {
    ++acknowledged;
    line->set(false);
    return kVector;
  }
  guest::InterruptLine* line = nullptr;
  int acknowledged = 0;
};

TEST(KvmExtInt, IsTakenWhenTheGuestLetsIt) {
  if (const auto features = kvm_cpu_features(); !features) GTEST_SKIP() << features.error().message();
  guest::GuestMemory memory = guest::GuestMemory::create(64 * kKiB, 3 * kGiB).value();
  std::memcpy(memory.host(kCode, kWaits.size()), kWaits.data(), kWaits.size());
  std::memcpy(memory.host(kHandler, kHandles.size()), kHandles.data(), kHandles.size());
  const u32 vector = kHandler;
  std::memcpy(memory.host(kVector * 4, 4), &vector, 4);
  guest::Bus mmio, ports;
  Port port;
  Controller controller;
  ASSERT_TRUE(ports.add(kExitPort, 2, &port).ok());
  Config config;
  config.memory = &memory;
  config.mmio = &mmio;
  config.ports = &ports;
  config.ext_int = &controller;
  const std::unique_ptr<Engine> engine = create_kvm(config).value();
  Vcpu* const vcpu = engine->create_vcpu(0).value();
  port.vcpu = vcpu;
  port.line = controller.line = engine->ext_int_line();
  ASSERT_NE(port.line, nullptr);

  CpuState state = vcpu->state();
  state.segment.fill({0, 0x93, 0xFFFF, 0});
  state.segment[kCs] = {0, 0x9B, 0xFFFF, 0};
  state.idtr = {0, 0x3FF};
  state.rip = kCode;
  state.rflags = 2;
  state.gpr.fill(0);
  state.gpr[kRsp] = 0x8000;
  constexpr u32 kSpurious = 0x0F, kLint0 = 0x35, kSoftwareEnable = 0x1FF, kExtInt = 0x700;
  state.lapic.registers[kSpurious] = kSoftwareEnable;
  state.lapic.registers[kLint0] = kExtInt;
  ASSERT_TRUE(vcpu->set_state(state).ok());
  const Exit exit = vcpu->run();
  ASSERT_EQ(exit.reason, ExitReason::kKicked) << exit.message;
  EXPECT_EQ(controller.acknowledged, 1);
  EXPECT_EQ(vcpu->state().gpr[kRcx], 1U);
}

}  // namespace
}  // namespace pileus::engine
