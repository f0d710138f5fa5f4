#include "machine/machine.h"

#include <gtest/gtest.h>

#include <atomic>

#include "machine/layout.h"
#include "machine/testing/kernels.h"
#include "machine/testing/waiting_vcpu.h"

namespace pileus::machine {
namespace {

using namespace std::chrono_literals;

// What the fake guest does on CPU 0 each time it is started or reset; other CPUs wait. Returns when
// its run ends.
using Script = std::function<engine::Exit(const engine::Config&, const engine::CpuState&)>;

class FakeVcpu : public testing::WaitingVcpu {
 public:
  FakeVcpu(const engine::Config& config, u32 id, Script script)
      : config_(config), id_(id), script_(std::move(script)) {}

  engine::Exit run() override {
    if (id_ == 0 && std::exchange(fresh_, false)) {
      engine::Exit exit = script_(config_, state());
      if (exit.reason != engine::ExitReason::kKicked) return exit;
    }
    return WaitingVcpu::run();
  }
  Result<> set_state(const engine::CpuState& state) override {
    fresh_ = true;
    return WaitingVcpu::set_state(state);
  }

 private:
  const engine::Config config_;
  const u32 id_;
  const Script script_;
  bool fresh_ = false;
};

class FakeEngine : public engine::Engine {
 public:
  FakeEngine(const engine::Config& config, Script script) : config_(config), script_(std::move(script)) {}
  Result<engine::Vcpu*> create_vcpu(u32 id) override {
    vcpus_.push_back(std::make_unique<FakeVcpu>(config_, id, script_));
    return static_cast<engine::Vcpu*>(vcpus_.back().get());
  }
  const char* name() const override { return "fake"; }
  engine::Counters counters() const override { return {{"messages", messages_}}; }
  void signal_msi(u64, u32 data) override {
    ++messages_;
    last_data_ = data;
  }
  u32 last_data() const { return last_data_; }

 private:
  const engine::Config config_;
  const Script script_;
  std::vector<std::unique_ptr<FakeVcpu>> vcpus_;
  std::atomic<u64> messages_ = 0;
  std::atomic<u32> last_data_ = 0;
};

MachineConfig config_with(Script script, u32 cpus = 2) {
  MachineConfig config;
  config.memory_bytes = 64 * kMiB;
  config.cpu_count = cpus;
  config.make_engine =
      [script = std::move(script)](const engine::Config& engine) -> Result<std::unique_ptr<engine::Engine>> {
    return std::unique_ptr<engine::Engine>(std::make_unique<FakeEngine>(engine, script));
  };
  config.boot = KernelBoot{testing::make_elf(), {}, "console=ttyS0", {}};
  return config;
}

End run(Script script) {
  auto machine = Machine::create(config_with(std::move(script)));
  EXPECT_TRUE(machine.ok()) << machine.error().message();
  EXPECT_TRUE((*machine)->start().ok());
  const auto end = (*machine)->wait(120s);
  EXPECT_TRUE(end.has_value());
  return end.value_or(End{});
}

TEST(Machine, PowersOffThroughAcpi) {
  const End end = run([](const engine::Config& config, const engine::CpuState& state) -> engine::Exit {
    EXPECT_EQ(state.rip, testing::kTestEntry);
    config.ports->write(kPortPower, 1, 5u << 2 | 1 << 5);
    return {};
  });
  EXPECT_EQ(end.reason, EndReason::kPoweredOff);
}

TEST(Machine, ResetsAndCounts) {
  std::atomic<int> boots = 0;
  auto machine =
      Machine::create(config_with([&](const engine::Config& config, const engine::CpuState&) -> engine::Exit {
        switch (++boots) {
          case 1: config.ports->write(kPortPower + 2, 1, 0x42); break;
          case 2: config.ports->write(kPortI8042Command, 1, 0xFE); break;
          default: config.ports->write(kPortPower, 1, 5u << 2 | 1 << 5); break;
        }
        return {};
      }));
  ASSERT_TRUE(machine.ok());
  ASSERT_TRUE((*machine)->start().ok());
  EXPECT_EQ((*machine)->wait(120s).value_or(End{EndReason::kError, "timeout", 0}).reason, EndReason::kPoweredOff);
  EXPECT_EQ(boots, 3);
  EXPECT_EQ((*machine)->counters().back(), (std::pair<std::string, u64>("resets", 2)));
}

TEST(Machine, AResetCountsBeforeTheTripleFaultBehindIt) {
  std::atomic<int> boots = 0;
  const End end = run([&](const engine::Config& config, const engine::CpuState&) -> engine::Exit {
    if (++boots > 20) return {engine::ExitReason::kError, "enough"};
    config.ports->write(kPortPciAddress + 1, 1, 6);
    return {engine::ExitReason::kShutdown, ""};
  });
  EXPECT_EQ(end.message, "enough");
}

TEST(Machine, ReportsATripleFault) {
  const End end = run([](const engine::Config&, const engine::CpuState&) -> engine::Exit {
    return {engine::ExitReason::kShutdown, ""};
  });
  EXPECT_EQ(end.reason, EndReason::kCrashed);
  EXPECT_NE(end.message, "");
}

TEST(Machine, ReportsAnEngineError) {
  const End end = run([](const engine::Config&, const engine::CpuState&) -> engine::Exit {
    return {engine::ExitReason::kError, "out of code cache"};
  });
  EXPECT_EQ(end.reason, EndReason::kError);
  EXPECT_EQ(end.message, "out of code cache");
}

TEST(Machine, EndsThroughTheExitPortWhereThereIsOne) {
  for (const bool wished : {true, false}) {
    MachineConfig config = config_with([](const engine::Config& engine, const engine::CpuState& state) -> engine::Exit {
      EXPECT_EQ(state.rip, testing::kTestMultiboot + 12);
      engine.ports->write(kPortExit, 4, 0x12345);
      engine.ports->write(kPortPower, 1, 5u << 2 | 1 << 5);
      return {};
    });
    config.boot = KernelBoot{testing::make_multiboot(), {}, "", {}};
    config.exit_port = wished;
    auto machine = Machine::create(std::move(config));
    ASSERT_TRUE(machine.ok()) << machine.error().message();
    ASSERT_TRUE((*machine)->start().ok());
    const End end = (*machine)->wait(120s).value_or(End{EndReason::kError, "timeout", 0});
    EXPECT_EQ(end.reason, wished ? EndReason::kExited : EndReason::kPoweredOff);
    EXPECT_EQ(end.code, wished ? 0x12345u : 0u);
  }
}

TEST(Machine, RefusesModulesForLinux) {
  MachineConfig config = config_with([](const engine::Config&, const engine::CpuState&) -> engine::Exit { return {}; });
  std::get<KernelBoot>(config.boot).modules.push_back({{1}, "one"});
  EXPECT_FALSE(Machine::create(std::move(config)).ok());
}

const Script kIdle = [](const engine::Config&, const engine::CpuState&) -> engine::Exit { return {}; };

TEST(Machine, StopsPausesAndWaits) {
  auto machine = Machine::create(config_with(kIdle, 4));
  ASSERT_TRUE(machine.ok());
  ASSERT_TRUE((*machine)->start().ok());
  EXPECT_FALSE((*machine)->start().ok());
  EXPECT_FALSE((*machine)->wait(1ms).has_value());
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE((*machine)->pause());
    if (i % 5 == 0) (*machine)->reset();
    (*machine)->resume();
  }
  (*machine)->stop();
  EXPECT_EQ((*machine)->wait(120s).value_or(End{EndReason::kError, "timeout", 0}).reason, EndReason::kStopped);
  EXPECT_FALSE((*machine)->pause());
}

TEST(Machine, MayBeDestroyedAtAnyTime) {
  {
    auto machine = Machine::create(config_with(kIdle));
  }
  auto machine = Machine::create(config_with(kIdle));
  ASSERT_TRUE((*machine)->start().ok());
}

// *fake is the machine's engine.
Result<std::unique_ptr<Machine>> create_with(MachineConfig config, FakeEngine** fake) {
  config.make_engine = [=, make = config.make_engine](const engine::Config& engine) {
    auto made = make(engine);
    *fake = static_cast<FakeEngine*>(made->get());
    return made;
  };
  return Machine::create(std::move(config));
}

TEST(Machine, NmiButtonSendsOneToTheFirstProcessor) {
  FakeEngine* fake = nullptr;
  auto machine = create_with(config_with(kIdle), &fake);
  ASSERT_TRUE((*machine)->start().ok());
  (*machine)->nmi();
  EXPECT_EQ(fake->last_data(), 0x400u);
}

TEST(Machine, PowerButtonRaisesItsInterrupt) {
  std::atomic<bool> ready = false;
  auto config = config_with([&](const engine::Config& engine, const engine::CpuState&) -> engine::Exit {
    engine.mmio->write(kIoapic, 4, 0x10 + 2 * kGsiPowerButton);
    engine.mmio->write(kIoapic + 0x10, 4, 0x55);
    ready = true;
    return {};
  });
  FakeEngine* fake = nullptr;
  auto machine = create_with(std::move(config), &fake);
  ASSERT_TRUE((*machine)->start().ok());
  while (!ready) std::this_thread::sleep_for(1ms);
  (*machine)->power_button();
  EXPECT_EQ(fake->last_data(), 0x4055u);
}

TEST(Machine, RefusesImpossibleConfigurations) {
  const auto error_of = [](void (*change)(MachineConfig&)) {
    MachineConfig config = config_with(kIdle);
    change(config);
    const auto machine = Machine::create(std::move(config));
    return machine.ok() ? std::string() : machine.error().message();
  };
  EXPECT_NE(error_of([](MachineConfig& c) { c.memory_bytes = 1; }), "");
  EXPECT_NE(error_of([](MachineConfig& c) { c.memory_bytes = 512 * kGiB; }), "");
  EXPECT_NE(error_of([](MachineConfig& c) { c.cpu_count = 0; }), "");
  EXPECT_NE(error_of([](MachineConfig& c) { c.cpu_count = 255; }), "");
  EXPECT_NE(error_of([](MachineConfig& c) { c.make_engine = nullptr; }), "");
  EXPECT_NE(error_of([](MachineConfig& c) { c.boot = DiskBoot{}; }), "");
  EXPECT_NE(error_of([](MachineConfig& c) { c.boot = KernelBoot{{1, 2, 3}, {}, "", {}}; }), "");
}

// Takes what its interrupt controller offers, still while it is destroyed, and counts how often that came then.
class InterruptedEngine final : public FakeEngine {
 public:
  InterruptedEngine(const engine::Config& config, Script script, std::atomic<int>* late)
      : FakeEngine(config, std::move(script)), source_(*config.ext_int), late_(*late) {}
  ~InterruptedEngine() override {
    const int before = line_.rises;
    for (int i = 0; i < 20; ++i) {
      source_.acknowledge();
      std::this_thread::sleep_for(1ms);
    }
    late_ = line_.rises - before;
  }
  guest::InterruptLine* ext_int_line() override { return &line_; }
  int rises() const { return line_.rises; }

 private:
  struct Line final : guest::InterruptLine {
    void set(bool level) override { rises += level ? 1 : 0; }
    std::atomic<int> rises = 0;
  };
  Line line_;
  engine::ExtIntSource& source_;
  std::atomic<int>& late_;
};

TEST(Machine, TheTimerIsSilentBeforeTheEngineGoes) {
  const Script tick = [](const engine::Config& engine, const engine::CpuState&) -> engine::Exit {
    for (const u64 word : {0x11U, 0x20U, 0x04U, 0x03U}) engine.ports->write(kPortPic + (word == 0x11 ? 0 : 1), 1, word);
    engine.ports->write(kPortPic + 1, 1, 0xFE);
    for (const u64 word : {0x34U, 0x80U, 0x00U}) engine.ports->write(kPortPit + (word == 0x34 ? 3 : 0), 1, word);
    return {};
  };
  std::atomic<int> late = -1;
  InterruptedEngine* fake = nullptr;
  MachineConfig config = config_with(tick);
  config.legacy_devices = true;
  config.make_engine = [&](const engine::Config& engine) -> Result<std::unique_ptr<engine::Engine>> {
    auto made = std::make_unique<InterruptedEngine>(engine, tick, &late);
    fake = made.get();
    return std::unique_ptr<engine::Engine>(std::move(made));
  };
  auto machine = Machine::create(std::move(config));
  ASSERT_TRUE(machine.ok()) << machine.error().message();
  ASSERT_TRUE((*machine)->start().ok());
  while (fake->rises() == 0) std::this_thread::sleep_for(1ms);
  machine->reset();
  EXPECT_EQ(late, 0);
}

}  // namespace
}  // namespace pileus::machine
