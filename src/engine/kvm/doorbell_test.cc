// A doorbell that the kernel rings: the guest's write neither leaves the guest nor reaches the device.
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "engine/engine.h"
#include "os/fd.h"

namespace pileus::engine {
namespace {

constexpr u64 kDevice = 0xD0000000;
constexpr u64 kCode = 0x1000;
constexpr u16 kExitPort = 0xF4;

// Protected mode, flat: three writes of another size each, then the end.
constexpr std::array<u8, 18> kRing{
    0x88, 0x07,              // mov [edi], al
    0x66, 0x89,      0x07,        // mov [edi], ax
    0x89, 0x07,              // mov [edi], eax
    0x89, 0x87,      4,    0, 0, 0,  // mov [edi + 4], eax
    0xE6, kExitPort,         // out 0xF4, al
    0xF4,                    // stop: hlt
    0xEB, 0xFD,              // jmp stop
};

struct ExitPort final : guest::BusDevice {
  u64 read(u64, unsigned) override { return 0xFF; }
  void write(u64, unsigned, u64) override { vcpu->kick(); }
  Vcpu* vcpu = nullptr;
};

struct Device final : guest::BusDevice {
  u64 read(u64, unsigned) override { return 0; }
  void write(u64 offset, unsigned, u64) override { (offset == 0 ? at_doorbell : beside) += 1; }
  int at_doorbell = 0, beside = 0;
};

void ring(Vcpu& vcpu) {
  CpuState state = vcpu.state();
  state.segment.fill({0x10, 0xC093, 0xFFFFFFFF, 0});
  state.segment[kCs] = {0x08, 0xC09B, 0xFFFFFFFF, 0};
  state.cr0 = 0x11;
  state.rip = kCode;
  state.rflags = 2;
  state.gpr[kRdi] = kDevice;
  ASSERT_TRUE(vcpu.set_state(state).ok());
  const Exit exit = vcpu.run();
  ASSERT_EQ(exit.reason, ExitReason::kKicked) << exit.message;
}

TEST(KvmDoorbell, TheKernelRingsIt) {
  if (const auto features = kvm_cpu_features(); !features) GTEST_SKIP() << features.error().message();
  guest::GuestMemory memory = guest::GuestMemory::create(64 * kKiB, 3 * kGiB).value();
  std::memcpy(memory.host(kCode, kRing.size()), kRing.data(), kRing.size());
  guest::Bus mmio, ports;
  ExitPort port;
  Device device;
  ASSERT_TRUE(ports.add(kExitPort, 1, &port).ok());
  ASSERT_TRUE(mmio.add(kDevice, 4096, &device).ok());
  const os::Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  mmio.add_doorbell(kDevice, event.get());
  Config config;
  config.memory = &memory;
  config.mmio = &mmio;
  config.ports = &ports;
  const std::unique_ptr<Engine> engine = create_kvm(config).value();
  Vcpu* const vcpu = engine->create_vcpu(0).value();
  port.vcpu = vcpu;

  ring(*vcpu);
  u64 count = 0;
  ASSERT_EQ(::read(event.get(), &count, sizeof count), static_cast<ssize_t>(sizeof count));
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(device.at_doorbell, 0);
  EXPECT_EQ(device.beside, 1);

  mmio.remove_doorbell(kDevice);
  ring(*vcpu);
  EXPECT_EQ(device.at_doorbell, 3);
  EXPECT_EQ(device.beside, 2);
}

}  // namespace
}  // namespace pileus::engine
