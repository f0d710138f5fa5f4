// Disks that come and go, with a fake engine and a guest that is the test.
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "machine/layout.h"
#include "machine/machine.h"
#include "machine/testing/kernels.h"
#include "machine/testing/waiting_vcpu.h"
#include "virtio/empty_disk.h"

namespace pileus::machine {
namespace {

using namespace std::chrono_literals;

constexpr u64 kCame = kPortSlots, kLeave = kPortSlots + 4, kEject = kPortSlots + 8;
constexpr u32 kFirstSlot = 3;

class IdleEngine : public engine::Engine {
 public:
  Result<engine::Vcpu*> create_vcpu(u32) override {
    vcpus_.push_back(std::make_unique<testing::WaitingVcpu>());
    return static_cast<engine::Vcpu*>(vcpus_.back().get());
  }
  const char* name() const override { return "idle"; }
  engine::Counters counters() const override { return {}; }
  void signal_msi(u64, u32) override {}

 private:
  std::vector<std::unique_ptr<testing::WaitingVcpu>> vcpus_;
};

class GrowingDisk : public virtio::EmptyDisk {
 public:
  GrowingDisk() : EmptyDisk(kMiB) {}
  u64 size() const override { return size_; }
  u64 size_ = kMiB;
};

class HotPlug : public ::testing::Test {
 protected:
  HotPlug() {
    MachineConfig config;
    config.memory_bytes = 64 * kMiB;
    config.make_engine = [this](const engine::Config& engine) -> Result<std::unique_ptr<engine::Engine>> {
      buses_ = engine;
      return std::unique_ptr<engine::Engine>(std::make_unique<IdleEngine>());
    };
    config.boot = KernelBoot{testing::make_elf(), {}, "", {}};
    config.disks[0] = {std::make_unique<virtio::EmptyDisk>(kMiB), "disk0"};
    config.on_disk_gone = [this](u32 place) {
      const std::scoped_lock lock(mutex_);
      gone_.push_back(place);
      changed_.notify_all();
    };
    machine_ = Machine::create(std::move(config)).value();
    EXPECT_TRUE(machine_->start().ok());
  }
  static Disk disk() { return {std::make_unique<virtio::EmptyDisk>(kMiB), "vol"}; }

  u32 port(u64 at) {
    u64 value = 0;
    buses_.ports->read(at, 4, &value);
    return static_cast<u32>(value);
  }
  // The vendor and device of the function in a disk's slot.
  u32 identity(u32 place) {
    u64 value = 0;
    buses_.mmio->read(kEcam + (u64{kFirstSlot + place} << 15), 4, &value);
    return static_cast<u32>(value);
  }
  bool wait_gone(const std::vector<u32>& places) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 120s, [&] { return gone_ == places; });
  }

  static constexpr u32 kBlock = 0x10421AF4;
  static constexpr u32 kNothing = 0xFFFFFFFF;
  engine::Config buses_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<u32> gone_;  // guarded by mutex_
  std::unique_ptr<Machine> machine_;
};

TEST_F(HotPlug, ADiskComesAndGoes) {
  EXPECT_EQ(identity(5), kNothing);
  ASSERT_TRUE(machine_->attach_disk(5, disk()).ok());
  EXPECT_EQ(identity(5), kBlock);
  EXPECT_TRUE(machine_->remind());
  EXPECT_EQ(port(kCame), 1U << (kFirstSlot + 5));
  EXPECT_FALSE(machine_->remind());
  EXPECT_EQ(machine_->attach_disk(5, disk()).error().code(), ErrorCode::kExists);

  ASSERT_TRUE(machine_->ask_to_detach(5).ok());
  EXPECT_EQ(identity(5), kBlock);  // the guest has it until it lets go
  EXPECT_EQ(port(kLeave), 1U << (kFirstSlot + 5));
  buses_.ports->write(kEject, 4, 1U << (kFirstSlot + 5));
  EXPECT_EQ(identity(5), kNothing);
  EXPECT_TRUE(wait_gone({5}));
  EXPECT_EQ(machine_->ask_to_detach(5).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(machine_->attach_disk(5, disk()).ok());
  EXPECT_EQ(identity(5), kBlock);
}

TEST_F(HotPlug, AGuestCannotLetGoOfWhatItWasNotAskedFor) {
  buses_.ports->write(kEject, 4, ~u32{0});
  EXPECT_EQ(identity(0), kBlock);
  ASSERT_TRUE(machine_->attach_disk(2, disk()).ok());
  ASSERT_TRUE(machine_->ask_to_detach(2).ok());
  buses_.ports->write(kEject, 4, ~u32{0});
  EXPECT_TRUE(wait_gone({2}));
  EXPECT_EQ(identity(0), kBlock);
}

TEST_F(HotPlug, AResetGuestHasLetGo) {
  ASSERT_TRUE(machine_->attach_disk(2, disk()).ok());
  ASSERT_TRUE(machine_->attach_disk(3, disk()).ok());
  ASSERT_TRUE(machine_->ask_to_detach(3).ok());
  machine_->reset();
  EXPECT_TRUE(wait_gone({3}));
  EXPECT_EQ(identity(2), kBlock);
  EXPECT_EQ(identity(3), kNothing);
}

TEST_F(HotPlug, ADiskCanBePulledOut) {
  ASSERT_TRUE(machine_->attach_disk(15, disk()).ok());
  ASSERT_TRUE(machine_->detach_disk(15).ok());
  EXPECT_EQ(identity(15), kNothing);
  EXPECT_EQ(machine_->detach_disk(15).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(machine_->attach_disk(16, disk()).error().code(), ErrorCode::kInvalid);
}

TEST_F(HotPlug, WorkOnDisksChangesWhatTheGuestSees) {
  auto backend = std::make_unique<GrowingDisk>();
  GrowingDisk& growing = *backend;
  ASSERT_TRUE(machine_->attach_disk(2, {std::move(backend), "vol"}).ok());
  EXPECT_TRUE(machine_
                  ->with_disks({0, 2},
                               [&]() -> Result<> {
                                 growing.size_ = 2 * kMiB;
                                 return {};
                               })
                  .ok());
  EXPECT_EQ(machine_->with_disks({0, 9}, [] { return Result<>(); }).error().code(), ErrorCode::kNotFound);
  const Result<> failed =
      machine_->with_disks({2}, []() -> Result<> { return Error(ErrorCode::kIo, "the test says no"); });
  EXPECT_EQ(failed.error().code(), ErrorCode::kIo);
}

}  // namespace
}  // namespace pileus::machine
