// The dirty log with a real guest, by bitmap and by rings.
#include "engine/dirty_log.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "base/cast.h"
#include "engine/engine.h"

namespace pileus::engine {
namespace {

constexpr u64 kPage = 4096;
constexpr u64 kRam = 64 * kMiB;
constexpr u64 kPml4 = 0x1000, kPdpt = 0x2000, kDirectory = 0x3000, kCode = 0x4000;
constexpr u16 kExitPort = 0xF4;

// Writes a byte to each of RCX pages from RDI on.
constexpr std::array<u8, 19> kWriter{
    0x88, 0x07,                                // again: mov [rdi], al
    0x48, 0x81,      0xC7, 0x00, 0x10, 0x00, 0x00,  // add rdi, 4096
    0x48, 0xFF,      0xC9,                          // dec rcx
    0x75, 0xF2,                                // jnz again
    0xE6, kExitPort,                           // out 0xF4, al
    0xF4,                                      // stop: hlt
    0xEB, 0xFD,                                // jmp stop
};

struct ExitPort final : guest::BusDevice {
  u64 read(u64, unsigned) override { return 0xFF; }
  void write(u64, unsigned, u64) override { vcpu->kick(); }
  Vcpu* vcpu = nullptr;
};

class DirtyLogTest : public ::testing::TestWithParam<KvmDirtyMode> {
 protected:
  void SetUp() override {
    if (const auto features = kvm_cpu_features(); !features) GTEST_SKIP() << features.error().message();
    memory = std::make_unique<guest::GuestMemory>(guest::GuestMemory::create(kRam, 3 * kGiB).value());
    ASSERT_TRUE(ports.add(kExitPort, 1, &port).ok());
    Config config;
    config.memory = memory.get();
    config.mmio = &mmio;
    config.ports = &ports;
    config.kvm_dirty = GetParam();
    auto made = create_kvm(config);
    if (!made && GetParam() == KvmDirtyMode::kRings) GTEST_SKIP() << made.error().message();
    ASSERT_TRUE(made.ok()) << made.error().message();
    engine = std::move(made).value();
    port.vcpu = vcpu = engine->create_vcpu(0).value();
    write_tables();
    log = engine->dirty_log();
    ASSERT_NE(log, nullptr);
  }

  void write_tables() {
    constexpr u64 kPresentWrite = 3, kLarge = 0x80;
    const auto put = [&](u64 at, u64 value) { std::memcpy(memory->host(at, 8), &value, 8); };
    put(kPml4, kPdpt | kPresentWrite);
    put(kPdpt, kDirectory | kPresentWrite);
    for (u64 i = 0; i < kRam / (2 * kMiB); ++i) put(kDirectory + 8 * i, i * 2 * kMiB | kPresentWrite | kLarge);
    std::memcpy(memory->host(kCode, kWriter.size()), kWriter.data(), kWriter.size());
  }

  void write_pages(u64 first, u64 count) {
    CpuState state = vcpu->state();
    state.segment.fill({0x10, 0xC093, 0xFFFFFFFF, 0});
    state.segment[kCs] = {0x08, 0xA09B, 0xFFFFFFFF, 0};
    state.cr0 = 0x80000011;
    state.cr3 = kPml4;
    state.cr4 = 0x20;
    state.efer = 0x500;
    state.rip = kCode;
    state.rflags = 2;
    state.gpr[kRdi] = first * kPage;
    state.gpr[kRcx] = count;
    ASSERT_TRUE(vcpu->set_state(state).ok());
    const Exit exit = vcpu->run();
    ASSERT_EQ(exit.reason, ExitReason::kKicked) << exit.message;
  }

  // How many of the pages in [first, first + count) are told of.
  u64 told(u64 first, u64 count) {
    u64 found = 0;
    for (u64 page = first; page < first + count; ++page) found += pages.at(page / 64) >> (page % 64) & 1;
    return found;
  }
  void collect() {
    pages.clear();
    const Result<> collected = log->collect(&pages);
    ASSERT_TRUE(collected.ok()) << collected.error().message();
  }

  std::unique_ptr<guest::GuestMemory> memory;
  guest::Bus mmio, ports;
  ExitPort port;
  std::unique_ptr<Engine> engine;
  Vcpu* vcpu = nullptr;
  DirtyLog* log = nullptr;
  PageBitmap pages;
};

TEST_P(DirtyLogTest, TellsWhatWasWrittenSinceLastAsked) {
  write_pages(1000, 10);
  EXPECT_FALSE(log->collect(&pages).ok());
  ASSERT_TRUE(log->start().ok());
  collect();
  EXPECT_EQ(told(0, kRam / kPage), 0U);
  write_pages(2000, 10);
  collect();
  EXPECT_EQ(told(2000, 10), 10U);
  EXPECT_EQ(told(2010, 1000) + told(100, 1900), 0U);
  collect();
  EXPECT_EQ(told(0, kRam / kPage), 0U);
  write_pages(2005, 10);
  collect();
  EXPECT_EQ(told(2005, 10), 10U);
  EXPECT_EQ(told(2000, 5), 0U);
}

TEST_P(DirtyLogTest, TellsOfDevicesToo) {
  const std::array<u8, 3> data{1, 2, 3};
  ASSERT_TRUE(memory->write(900 * kPage, data));
  ASSERT_TRUE(log->start().ok());
  ASSERT_TRUE(memory->write(1001 * kPage - 1, data));
  collect();
  EXPECT_EQ(told(1000, 2), 2U);
  EXPECT_EQ(told(0, kRam / kPage), 2U);
}

// More pages than a ring has entries. A KVM that emulates may let its rings run over; then the log says so.
TEST_P(DirtyLogTest, LosesNothingUnnoticedWhenMuchIsWritten) {
  constexpr u64 kMany = 10'000;
  ASSERT_TRUE(log->start().ok());
  write_pages(1000, kMany);
  const Result<> collected = log->collect(&pages);
  if (!collected && GetParam() == KvmDirtyMode::kRings && !probe_kvm().near_native) {
    write_pages(1000, kMany);  // the guest goes on all the same
    GTEST_SKIP() << collected.error().message();
  }
  ASSERT_TRUE(collected.ok()) << collected.error().message();
  EXPECT_EQ(told(1000, kMany), kMany);
  EXPECT_LT(told(0, kRam / kPage), kMany + 16);  // and page tables
}

TEST_P(DirtyLogTest, ForgetsWhatCameBetweenStopAndStart) {
  ASSERT_TRUE(log->start().ok());
  write_pages(1000, 10);
  ASSERT_TRUE(log->stop().ok());
  write_pages(2000, 10);
  ASSERT_TRUE(log->start().ok());
  collect();
  EXPECT_EQ(told(1000, 10) + told(2000, 10), 0U);
  write_pages(3000, 10);
  collect();
  EXPECT_EQ(told(3000, 10), 10U);
}

INSTANTIATE_TEST_SUITE_P(Modes, DirtyLogTest, ::testing::Values(KvmDirtyMode::kBitmap, KvmDirtyMode::kRings),
                         [](const auto& test) { return test.param == KvmDirtyMode::kBitmap ? "Bitmap" : "Rings"; });

}  // namespace
}  // namespace pileus::engine
