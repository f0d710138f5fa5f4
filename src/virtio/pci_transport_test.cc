#include "virtio/pci_transport.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <map>

#include "virtio/fake_driver.h"
#include "virtio/rng.h"

namespace pileus::virtio {
namespace {

using testing::FakeQueue;

constexpr u64 kBar = 0xC0000000;
constexpr guest::Gpa kQueueAt = 0x10000;
constexpr guest::Gpa kBuffer = 0x40000;

class Sink : public guest::MsiSink {
 public:
  void signal_msi(u64 address, u32 data) override {
    const std::lock_guard lock(mutex_);
    messages_.emplace_back(address, data);
    changed_.notify_all();
  }
  bool wait_for(u32 data) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(120), [&] {
      return std::any_of(messages_.begin(), messages_.end(),
                         [&](const auto& message) { return message.second == data; });
    });
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return messages_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<u64, u32>> messages_;
};

// Finds its way as a driver does: by the capabilities.
class VirtioPciTest : public ::testing::Test {
 protected:
  VirtioPciTest()
      : memory_(testing::make_memory()),
        io_(std::move(IoThread::start("test-io")).value()),
        function_(std::move(VirtioPci::create(std::make_unique<Rng>(), memory_, mmio_, sink_, *io_)).value()),
        queue_(memory_, kQueueAt, 64) {
    function_->config_write(0x10, 4, kBar);
    function_->config_write(0x14, 4, 0);
    function_->config_write(kPciCommand, 2, kPciCommandMemory | kPciCommandMaster);
    u32 at = function_->config_read(kPciCapabilities, 1);
    for (int i = 0; at != 0 && i < 48; ++i) {
      const auto here = static_cast<u16>(at);
      if (function_->config_read(here, 1) == 9) {
        virtio_[function_->config_read(here + 3, 1)] = here;
      } else {
        EXPECT_EQ(function_->config_read(here, 1), 0x11U);
        msix_ = here;
      }
      at = function_->config_read(here + 1, 1);
    }
  }

  u64 region(u8 type) {
    EXPECT_EQ(function_->config_read(virtio_[type] + 4, 1), 0U);
    return kBar + function_->config_read(virtio_[type] + 8, 4);
  }
  u64 get(u64 address, unsigned size) {
    u64 value = 0;
    EXPECT_TRUE(mmio_.read(address, size, &value));
    return value;
  }
  void set(u64 address, unsigned size, u64 value) { EXPECT_TRUE(mmio_.write(address, size, value)); }
  u64 common(u64 offset, unsigned size) { return get(region(1) + offset, size); }
  void set_common(u64 offset, unsigned size, u64 value) { set(region(1) + offset, size, value); }

  void set_up_msix() {
    const u64 table = kBar + (function_->config_read(msix_ + 4, 4) & ~7U);
    for (u32 vector = 0; vector < 2; ++vector) {
      set(table + 16 * vector, 8, 0xFEE00000);
      set(table + 16 * vector + 8, 4, 0x40 + vector);
      set(table + 16 * vector + 12, 4, 0);
    }
    function_->config_write(msix_ + 2, 2, 0x8000);
    set_common(16, 2, 0);  // config: vector 0
  }

  // Negotiation as in 3.1.1.
  void start_driver(const QueueLayout& layout) {
    set_common(20, 1, 0);
    EXPECT_EQ(common(20, 1), 0U);
    set_common(20, 1, 1);
    set_common(20, 1, 3);
    set_common(8, 4, 1);
    set_common(12, 4, 1);  // VERSION_1
    set_common(20, 1, 11);
    EXPECT_EQ(common(20, 1), 11U);
    set_up_msix();
    set_common(22, 2, 0);
    set_common(24, 2, layout.size);
    set_common(26, 2, 1);  // queue: vector 1
    EXPECT_EQ(common(26, 2), 1U);
    set_common(32, 4, layout.descriptors);
    set_common(36, 4, 0);
    set_common(40, 8, layout.available);
    set_common(48, 4, layout.used);
    set_common(28, 2, 1);
    set_common(20, 1, 15);
  }
  void kick() { set(region(2) + common(30, 2) * function_->config_read(virtio_[2] + 16, 4), 2, 0); }

  guest::GuestMemory memory_;
  guest::Bus mmio_;
  Sink sink_;
  std::unique_ptr<IoThread> io_;
  std::unique_ptr<VirtioPci> function_;
  FakeQueue queue_;
  std::map<u32, u16> virtio_;
  u16 msix_ = 0;
};

TEST_F(VirtioPciTest, CapabilitiesAreComplete) {
  EXPECT_EQ(function_->config_read(0, 4), 0x10441AF4U);
  for (const u32 type : {1U, 2U, 3U, 4U, 5U}) EXPECT_TRUE(virtio_.contains(type)) << type;
  EXPECT_NE(msix_, 0);
  EXPECT_EQ(function_->config_read(msix_ + 2, 2) & 0x7FF, 1U);  // two vectors
  EXPECT_EQ(common(18, 2), 1U);
  EXPECT_EQ(common(24, 2), 64U);
  set_common(22, 2, 7);
  EXPECT_EQ(common(24, 2), 0U);  // no such queue
}

TEST_F(VirtioPciTest, ADriverGetsItsRandomBytes) {
  start_driver(queue_.layout());
  queue_.add({{kBuffer, 64, true}});
  kick();
  ASSERT_TRUE(sink_.wait_for(0x41));
  EXPECT_EQ(get(region(3), 1), 1U);
  EXPECT_EQ(get(region(3), 1), 0U);  // reading acknowledged it
  const auto used = queue_.take_used();
  ASSERT_TRUE(used);
  EXPECT_EQ(used->length, 64U);
  u64 any = 0;
  for (u64 i = 0; i < 64; i += 8) any |= testing::peek<u64>(memory_, kBuffer + i);
  EXPECT_NE(any, 0U);
}

TEST_F(VirtioPciTest, WhatIsAvailableBeforeTheDriverIsReadyIsServed) {
  queue_.add({{kBuffer, 64, true}});
  start_driver(queue_.layout());
  EXPECT_TRUE(sink_.wait_for(0x41));
  EXPECT_TRUE(queue_.take_used());
}

TEST_F(VirtioPciTest, ABrokenQueueNeedsAResetAndThenWorksAgain) {
  start_driver(queue_.layout());
  queue_.make_available(1000);
  kick();
  ASSERT_TRUE(sink_.wait_for(0x40));  // a configuration change
  EXPECT_EQ(common(20, 1), 15U | 64U);
  EXPECT_EQ(get(region(3), 1), 2U);

  queue_ = FakeQueue(memory_, kQueueAt + 0x8000, 64);
  start_driver(queue_.layout());
  queue_.add({{kBuffer, 8, true}});
  kick();
  EXPECT_TRUE(sink_.wait_for(0x41));
}

TEST_F(VirtioPciTest, AQueueOutsideRamNeedsAReset) {
  QueueLayout layout = queue_.layout();
  layout.used = 64 * kMiB;
  start_driver(layout);
  EXPECT_EQ(common(20, 1), 15U | 64U);
  kick();
  set_common(20, 1, 0);
  EXPECT_EQ(common(20, 1), 0U);
}

TEST_F(VirtioPciTest, FeaturesThatWereNotOfferedAreRefused) {
  set_common(20, 1, 3);
  set_common(8, 4, 0);
  set_common(12, 4, 1U << 5);
  set_common(8, 4, 1);
  set_common(12, 4, 1);
  set_common(20, 1, 11);
  EXPECT_EQ(common(20, 1), 3U);
  set_common(20, 1, 15);  // a driver that goes on regardless
  EXPECT_EQ(common(20, 1), 3U);
  set_common(8, 4, 0);
  set_common(12, 4, 0);
  set_common(8, 4, 1);
  set_common(12, 4, 0);  // without VERSION_1
  set_common(20, 1, 11);
  EXPECT_EQ(common(20, 1), 3U);
}

TEST_F(VirtioPciTest, AMaskedVectorWaits) {
  start_driver(queue_.layout());
  const u64 table = kBar + (function_->config_read(msix_ + 4, 4) & ~7U);
  const u64 pending = kBar + (function_->config_read(msix_ + 8, 4) & ~7U);
  set(table + 16 + 12, 4, 1);
  queue_.add({{kBuffer, 8, true}});
  kick();
  while (get(pending, 8) == 0) std::this_thread::yield();
  EXPECT_EQ(get(pending, 8), 2U);
  EXPECT_EQ(sink_.count(), 0U);
  set(table + 16 + 12, 4, 0);
  EXPECT_TRUE(sink_.wait_for(0x41));
  EXPECT_EQ(get(pending, 8), 0U);
}

struct Doorbells final : guest::DoorbellWatcher {
  void on_doorbell_added(u64 address, int event) override { events[address] = event; }
  void on_doorbell_removed(u64 address, int) override { events.erase(address); }
  std::map<u64, int> events;
};

TEST_F(VirtioPciTest, AQueueHasADoorbellThatTheKernelMayRing) {
  Doorbells doorbells;
  mmio_.watch_doorbells(&doorbells);
  ASSERT_EQ(doorbells.events.size(), 1U);
  EXPECT_EQ(doorbells.events.begin()->first, region(2));
  start_driver(queue_.layout());
  queue_.add({{kBuffer, 8, true}});
  const u64 one = 1;
  ASSERT_EQ(::write(doorbells.events.begin()->second, &one, sizeof one), static_cast<ssize_t>(sizeof one));
  ASSERT_TRUE(sink_.wait_for(0x41));
  EXPECT_TRUE(queue_.take_used());
  function_->config_write(kPciCommand, 2, 0);  // nothing of it is on the bus any more
  EXPECT_TRUE(doorbells.events.empty());
  mmio_.watch_doorbells(nullptr);
}

TEST_F(VirtioPciTest, TheBarMoves) {
  u64 value = 0;
  function_->config_write(0x10, 4, 0xD0000000);
  EXPECT_FALSE(mmio_.read(kBar, 4, &value));
  EXPECT_TRUE(mmio_.read(0xD0000000, 4, &value));
  function_->config_write(kPciCommand, 2, 0);
  EXPECT_FALSE(mmio_.read(0xD0000000, 4, &value));
  function_->config_write(0x14, 4, 0x10);
  function_->config_write(kPciCommand, 2, kPciCommandMemory);
  EXPECT_TRUE(mmio_.read(0x10D0000000, 4, &value));
  function_.reset();
  EXPECT_FALSE(mmio_.read(0x10D0000000, 4, &value));
}

TEST_F(VirtioPciTest, TheWindowReachesTheBar) {
  const u16 at = virtio_[5];
  function_->config_write(at + 8, 4, 18);  // common.num_queues
  function_->config_write(at + 12, 4, 2);
  EXPECT_EQ(function_->config_read(at + 16, 2), 1U);
  function_->config_write(at + 8, 4, 20);
  function_->config_write(at + 12, 4, 1);
  function_->config_write(at + 16, 1, 1);
  EXPECT_EQ(function_->device_status(), 1);
  function_->config_write(at + 8, 4, 0xFFFFFFFF);  // hostile: nothing happens
  function_->config_write(at + 12, 4, 4);
  function_->config_write(at + 16, 4, 1);
  static_cast<void>(function_->config_read(at + 16, 4));
}

TEST_F(VirtioPciTest, AnyRegisterAccessIsHarmless) {
  for (u64 offset = 0; offset < VirtioPci::kBarSize; ++offset) {
    for (const unsigned size : {1U, 2U, 4U, 8U}) {
      if (offset + size > VirtioPci::kBarSize) continue;
      u64 value = 0;
      mmio_.read(kBar + offset, size, &value);
      mmio_.write(kBar + offset, size, ~u64{0} - offset);
    }
  }
  for (u16 offset = 0; offset < 4096; ++offset) {
    function_->config_write(offset, 4, ~u32{0});
    static_cast<void>(function_->config_read(offset, 4));
  }
  function_->reset();
  EXPECT_EQ(function_->device_status(), 0);
}

TEST_F(VirtioPciTest, ManyVcpusNotifyAndReset) {
  start_driver(queue_.layout());
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        u64 value = 0;
        mmio_.write(kBar + 0x3000, 2, 0);
        mmio_.read(kBar + 20, 1, &value);
      }
    });
  }
  for (int i = 0; i < 100; ++i) {
    mmio_.write(kBar + 20, 1, 0);
    mmio_.write(kBar + 20, 1, 3);
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(function_->device_status(), 3);
}

}  // namespace
}  // namespace pileus::virtio
