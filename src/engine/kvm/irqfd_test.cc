// Sources of interrupt messages, as both engines make them; those of KVM are eventfds that the kernel reads.
#include "engine/kvm/irqfd.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "engine/engine.h"

namespace pileus::engine {
namespace {

using namespace std::chrono_literals;

constexpr u64 kApic = 0xFEE00000;
constexpr u32 kSpurious = 0x0F, kIrr = 0x20, kSoftwareEnable = 0x1FF;
constexpr u64 kIdt = 0x1000, kCode = 0x2000, kHandler = 0x2100, kGdt = 0x3000, kWork = 0x4000, kSeen = 0x4004,
              kCount = 0x4008;
constexpr u32 kVector = 0x40, kOtherVector = 0x81;

// Protected mode, flat: waits for interrupts.
constexpr std::array<u8, 4> kWaits{
    0xFB,        // wait: sti
    0xF4,        // hlt
    0xEB, 0xFC,  // jmp wait
};
// Looks at the work, as a driver does, counts, and goes back to waiting: a KVM that emulates has no IRET.
constexpr std::array<u8, 32> kHandles{
    0xA1, 0x00, 0x40, 0x00, 0x00,        // mov eax, [kWork]
    0xA3, 0x04, 0x40, 0x00, 0x00,        // mov [kSeen], eax
    0xFF, 0x05, 0x08, 0x40, 0x00, 0x00,  // inc dword [kCount]
    0xC7, 0x07, 0x00, 0x00, 0x00, 0x00,  // mov dword [edi], 0: the end of the interrupt
    0xBC, 0x00, 0x80, 0x00, 0x00,        // mov esp, 0x8000
    0xE9, 0xE0, 0xFE, 0xFF, 0xFF,        // jmp wait
};

class MsiSources : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const bool kvm = std::string_view(GetParam()) == "kvm";
    if (kvm) {
      if (const auto features = kvm_cpu_features(); !features) GTEST_SKIP() << features.error().message();
    }
    Config config;
    config.memory = &memory_;
    config.mmio = &mmio_;
    config.ports = &ports_;
    engine_ = kvm ? create_kvm(config).value() : create_bt(config).value();
    vcpu_ = engine_->create_vcpu(0).value();
    load();
  }

  void load() {
    std::memcpy(memory_.host(kCode, kWaits.size()), kWaits.data(), kWaits.size());
    std::memcpy(memory_.host(kHandler, kHandles.size()), kHandles.data(), kHandles.size());
    constexpr std::array<u64, 3> kDescriptors{0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF};
    std::memcpy(memory_.host(kGdt, sizeof kDescriptors), kDescriptors.data(), sizeof kDescriptors);
    constexpr u64 kGate = u64{0x8E00} << 32 | u64{0x08} << 16 | kHandler;
    for (u64 vector = 0x20; vector < 0x100; ++vector) std::memcpy(memory_.host(kIdt + 8 * vector, 8), &kGate, 8);
    CpuState state = vcpu_->state();
    state.segment.fill({0x10, 0xC093, 0xFFFFFFFF, 0});
    state.segment[kCs] = {0x08, 0xC09B, 0xFFFFFFFF, 0};
    state.gdtr = {kGdt, 0x17};
    state.idtr = {kIdt, 0x7FF};
    state.cr0 = 0x11;
    state.rip = kCode;
    state.rflags = 0x202;
    state.gpr[kRsp] = 0x8000;
    state.gpr[kRdi] = kApic + 0xB0;
    state.lapic.registers[kSpurious] = kSoftwareEnable;
    ASSERT_TRUE(vcpu_->set_state(state).ok());
  }

  void TearDown() override {
    if (thread_.joinable()) stop();
  }

  // For tests that look at the APIC while nothing runs.
  bool requested(u32 vector) const { return is_requested(vcpu_->state(), vector); }
  static bool is_requested(const CpuState& state, u32 vector) {
    return (state.lapic.registers[kIrr + vector / 32] >> (vector % 32) & 1) != 0;
  }
  void forget_requests() {
    CpuState state = vcpu_->state();
    for (u32 i = 0; i < 8; ++i) state.lapic.registers[kIrr + i] = 0;
    ASSERT_TRUE(vcpu_->set_state(state).ok());
  }
  // The kernel sends what was kept by a thread of its own.
  template <typename Condition>
  static bool eventually(Condition&& condition) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(100us);
    }
    return true;
  }

  void start() {
    thread_ = std::thread([this] {
      const Exit exit = vcpu_->run();
      EXPECT_EQ(exit.reason, ExitReason::kKicked) << exit.message;
    });
  }
  void stop() {
    vcpu_->kick();
    thread_.join();
  }
  std::atomic_ref<u32> word(u64 address) {
    return std::atomic_ref<u32>(*static_cast<u32*>(static_cast<void*>(memory_.host(address, 4))));
  }

  guest::GuestMemory memory_ = guest::GuestMemory::create(64 * kKiB, 3 * kGiB).value();
  guest::Bus mmio_, ports_;
  std::unique_ptr<Engine> engine_;
  Vcpu* vcpu_ = nullptr;
  std::thread thread_;
};

TEST_P(MsiSources, SendByTheRouteOfTheMoment) {
  const auto source = engine_->make_source();
  source->set_route(guest::MsiMessage{kApic, kVector});
  source->signal();
  EXPECT_TRUE(eventually([&] { return requested(kVector); }));
  forget_requests();
  source->set_route(guest::MsiMessage{kApic, kOtherVector});
  source->signal();
  EXPECT_TRUE(eventually([&] { return requested(kOtherVector); }));
  EXPECT_FALSE(requested(kVector));
  EXPECT_FALSE(source->pending());
}

TEST_P(MsiSources, KeepASignalWhileMasked) {
  const auto source = engine_->make_source();
  for (int round = 0; round < 3; ++round) {
    source->signal();
    source->signal();
    EXPECT_TRUE(source->pending());
    EXPECT_FALSE(requested(kVector));
    source->set_route(guest::MsiMessage{kApic, kVector});
    EXPECT_FALSE(source->pending());
    EXPECT_TRUE(eventually([&] { return requested(kVector); }));
    source->set_route(std::nullopt);
    EXPECT_FALSE(source->pending());
    forget_requests();
    source->set_route(guest::MsiMessage{kApic, kVector});  // it was sent once
    source->set_route(std::nullopt);
    EXPECT_FALSE(requested(kVector));
  }
}

TEST_P(MsiSources, ForgetWhatTheyKept) {
  const auto source = engine_->make_source();
  source->signal();
  source->forget();
  EXPECT_FALSE(source->pending());
  source->set_route(guest::MsiMessage{kApic, kVector});
  source->set_route(std::nullopt);
  EXPECT_FALSE(requested(kVector));
}

TEST_P(MsiSources, AMessageToElsewhereIsLostAndSpoilsNoOther) {
  const auto stray = engine_->make_source();
  const auto source = engine_->make_source();
  for (const u64 elsewhere : {u64{0}, u64{0xFEC00000}, kApic | u64{1} << 32, ~u64{0}}) {
    stray->set_route(guest::MsiMessage{elsewhere, kVector});
    source->set_route(guest::MsiMessage{kApic, kOtherVector});
    stray->signal();
    source->signal();
    EXPECT_TRUE(eventually([&] { return requested(kOtherVector); })) << elsewhere;
    EXPECT_FALSE(requested(kVector)) << elsewhere;
    EXPECT_FALSE(stray->pending());
    source->set_route(std::nullopt);
    forget_requests();
  }
  stray->set_route(guest::MsiMessage{kApic, kVector});
  stray->set_route(std::nullopt);
  EXPECT_FALSE(requested(kVector));
}

TEST_P(MsiSources, ManyComeAndGo) {
  constexpr u32 kFirst = 0x20, kEnd = 0x100;
  for (int round = 0; round < 2; ++round) {
    std::vector<std::unique_ptr<guest::MsiSource>> sources;
    for (u32 vector = kFirst; vector < kEnd; ++vector) {
      sources.push_back(engine_->make_source());
      sources.back()->set_route(guest::MsiMessage{kApic, vector});
    }
    for (u32 i = 0; i < sources.size(); i += 2) sources[i]->set_route(std::nullopt);
    for (const auto& source : sources) source->signal();
    ASSERT_TRUE(eventually([&] { return requested(kEnd - 1); }));
    const CpuState state = vcpu_->state();
    for (u32 vector = kFirst; vector < kEnd; ++vector)
      EXPECT_EQ(is_requested(state, vector), vector % 2 == 1) << vector;
    forget_requests();
  }
}

TEST_P(MsiSources, EachSignalIsOneInterrupt) {
  const auto source = engine_->make_source();
  source->set_route(guest::MsiMessage{kApic, kVector});
  start();
  u32 expected = 0;
  for (u32 i = 0; i < 100; ++i) {
    const bool masked = i % 5 == 4;
    if (masked) source->set_route(std::nullopt);
    source->signal();
    if (masked) source->set_route(guest::MsiMessage{kApic, i % 10 == 9 ? kVector : kOtherVector});
    ++expected;
    ASSERT_TRUE(eventually([&] { return word(kCount) == expected; })) << i;
  }
  stop();
  EXPECT_EQ(word(kCount), expected);
}

// The vCPU stands still between two instructions, devices do not.
TEST_P(MsiSources, SendToAVcpuThatStandsStill) {
  const auto source = engine_->make_source();
  source->set_route(guest::MsiMessage{kApic, kVector});
  for (u32 i = 0; i < 20; ++i) {
    source->signal();
    start();
    ASSERT_TRUE(eventually([&] { return word(kCount) == i + 1; }));
    stop();
  }
  source->signal();
  ASSERT_TRUE(eventually([&] { return requested(kVector); }));
  const CpuState moved = vcpu_->state();
  forget_requests();
  ASSERT_TRUE(vcpu_->set_state(moved).ok());
  start();
  EXPECT_TRUE(eventually([&] { return word(kCount) == 21; }));
  stop();
}

// Whatever happens to the route meanwhile, the guest sees the last of the work.
TEST_P(MsiSources, NothingIsLostWhileTheRouteChanges) {
  const auto source = engine_->make_source();
  start();
  std::atomic<bool> over = false;
  std::thread table([&] {
    for (u32 i = 0; !over; ++i) {
      source->set_route(std::nullopt);
      source->set_route(guest::MsiMessage{kApic, i % 2 == 0 ? kVector : kOtherVector});
      source->set_route(guest::MsiMessage{kApic, i % 3 == 0 ? kVector : kOtherVector});
    }
  });
  bool seen = true;
  for (u32 work = 1; work <= 300 && seen; ++work) {
    word(kWork) = work;
    source->signal();
    seen = eventually([&] { return word(kSeen) == work; });
  }
  over = true;
  table.join();
  stop();
  EXPECT_TRUE(seen) << word(kSeen) << " of " << word(kWork);
}

INSTANTIATE_TEST_SUITE_P(Engines, MsiSources, ::testing::Values("bt", "kvm"),
                         [](const auto& param) { return std::string(param.param); });

struct Sink final : guest::MsiSink {
  void signal_msi(u64 address, u32 data) override { messages.push_back({address, data}); }
  std::vector<guest::MsiMessage> messages;
};

// What is no virtual machine refuses everything.
TEST(KvmIrqfd, SendsByMessageWhereKvmRefuses) {
  const os::Fd no_machine(::eventfd(0, EFD_CLOEXEC));
  kvm::GsiRoutes routes(no_machine.get(), 1024);
  Sink sink;
  const auto source = kvm::Irqfd::create(no_machine.get(), routes, sink).value();
  const guest::MsiMessage message{kApic, kVector};
  source->signal();
  EXPECT_TRUE(source->pending());
  source->set_route(message);
  EXPECT_EQ(sink.messages, std::vector{message});
  source->signal();
  EXPECT_EQ(sink.messages.size(), 2U);
  source->set_route(std::nullopt);
  source->signal();
  EXPECT_TRUE(source->pending());
  source->forget();
  source->set_route(message);
  EXPECT_EQ(sink.messages.size(), 2U);
}

}  // namespace
}  // namespace pileus::engine
