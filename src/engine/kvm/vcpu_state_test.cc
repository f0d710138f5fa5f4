// What KVM is given is what it has.
#include <gtest/gtest.h>

#include "engine/engine.h"

namespace pileus::engine {
namespace {

constexpr u64 kCr0ProtectedPaging = 0x80000011, kCr0Paging = 1U << 31, kCr4Pae = 1U << 5;

// Where KVM has paging in long mode only, it leaves CR0.PG clear and says nothing.
TEST(KvmVcpuState, PagingIsKeptOrRefused) {
  if (const auto features = kvm_cpu_features(); !features) GTEST_SKIP() << features.error().message();
  guest::GuestMemory memory = guest::GuestMemory::create(64 * kKiB, 3 * kGiB).value();  // no page is present
  guest::Bus mmio, ports;
  Config config;
  config.memory = &memory;
  config.mmio = &mmio;
  config.ports = &ports;
  const std::unique_ptr<Engine> engine = create_kvm(config).value();
  Vcpu* const vcpu = engine->create_vcpu(0).value();
  CpuState state = vcpu->state();
  state.segment.fill({0x10, 0xC093, 0xFFFFFFFF, 0});
  state.segment[kCs] = {0x08, 0xC09B, 0xFFFFFFFF, 0};
  state.cr0 = kCr0ProtectedPaging;
  state.cr3 = 0x1000;
  for (const u64 cr4 : {u64{0}, kCr4Pae}) {
    state.cr4 = cr4;
    const Result<> taken = vcpu->set_state(state);
    EXPECT_EQ(taken.ok(), (vcpu->state().cr0 & kCr0Paging) != 0) << "CR4 " << cr4;
  }
}

}  // namespace
}  // namespace pileus::engine
