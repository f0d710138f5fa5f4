#include "virtio/queue.h"

#include <gtest/gtest.h>

#include <random>

#include "virtio/fake_driver.h"
#include "virtio/queue_fuzz.h"

namespace pileus::virtio {
namespace {

using testing::FakeDescriptor;
using testing::FakeQueue;
using testing::kIndirect;
using testing::kNext;
using testing::kWrite;

constexpr guest::Gpa kBase = 0x1000;
constexpr guest::Gpa kBuffer = 0x20000;
constexpr guest::Gpa kTable = 0x30000;

class QueueTest : public ::testing::Test {
 protected:
  QueueTest() : memory_(testing::make_memory()), fake_(memory_, kBase, 8) {}

  // What popping says about the one chain that starts at descriptor 0.
  void expect_broken(bool indirect = true) {
    fake_.make_available(0);
    Queue queue(memory_, fake_.layout(false, indirect));
    Chain chain;
    EXPECT_FALSE(queue.pop(chain));
    EXPECT_TRUE(queue.broken());
    EXPECT_FALSE(queue.pop(chain));
    queue.push(chain, 0);
    EXPECT_FALSE(queue.publish());
    EXPECT_EQ(fake_.used_index(), 0);
  }

  guest::GuestMemory memory_;
  FakeQueue fake_;
};

TEST_F(QueueTest, ChainsComeInOrderAndGoBack) {
  Queue queue(memory_, fake_.layout());
  Chain chain;
  EXPECT_FALSE(queue.pop(chain));
  fake_.add({{kBuffer, 16, false}, {kBuffer + 64, 8, false}, {kBuffer + 128, 100, true}});
  fake_.add({{kBuffer + 256, 5, true}});

  ASSERT_TRUE(queue.pop(chain));
  EXPECT_EQ(chain.readable.size(), 2U);
  EXPECT_EQ(chain.readable_bytes, 24U);
  EXPECT_EQ(chain.writable_bytes, 100U);
  EXPECT_EQ(chain.writable[0].address, kBuffer + 128);
  queue.push(chain, 100);
  ASSERT_TRUE(queue.pop(chain));
  EXPECT_EQ(chain.head, 3);
  queue.push(chain, 5);
  EXPECT_FALSE(queue.pop(chain));
  EXPECT_FALSE(queue.broken());

  EXPECT_EQ(fake_.used_index(), 0);  // nothing is visible before publish()
  EXPECT_TRUE(queue.publish());
  EXPECT_FALSE(queue.publish());
  auto used = fake_.take_used();
  ASSERT_TRUE(used);
  EXPECT_EQ(used->id, 0U);
  EXPECT_EQ(used->length, 100U);
  used = fake_.take_used();
  ASSERT_TRUE(used);
  EXPECT_EQ(used->id, 3U);
  EXPECT_EQ(used->length, 5U);
}

TEST_F(QueueTest, IndicesWrapAfter65536Chains) {
  Queue queue(memory_, fake_.layout(true));
  Chain chain;
  for (u32 i = 0; i < 70000; ++i) {
    fake_.add({{kBuffer, 4, true}});
    ASSERT_TRUE(queue.pop(chain)) << i;
    queue.push(chain, i & 3);
    static_cast<void>(queue.publish());
    const auto used = fake_.take_used();
    ASSERT_TRUE(used) << i;
    ASSERT_EQ(used->length, i & 3);
  }
}

TEST_F(QueueTest, ChainBytesAreReadAndWrittenAcrossSegments) {
  Queue queue(memory_, fake_.layout());
  fake_.add({{kBuffer, 3, false}, {kBuffer + 100, 3, false}, {kBuffer + 200, 2, true}, {kBuffer + 300, 2, true}});
  const std::array<u8, 3> first = {1, 2, 3};
  const std::array<u8, 3> second = {4, 5, 6};
  ASSERT_TRUE(memory_.write(kBuffer, first));
  ASSERT_TRUE(memory_.write(kBuffer + 100, second));
  Chain chain;
  ASSERT_TRUE(queue.pop(chain));
  std::array<u8, 4> out{};
  EXPECT_TRUE(chain.read(1, out));
  EXPECT_EQ(out, (std::array<u8, 4>{2, 3, 4, 5}));
  EXPECT_FALSE(chain.read(3, out));
  EXPECT_FALSE(chain.read(~u64{0}, out));
  EXPECT_TRUE(chain.write(1, std::span<const u8>(second).first(2)));
  EXPECT_EQ(testing::peek<u8>(memory_, kBuffer + 201), 4);
  EXPECT_EQ(testing::peek<u8>(memory_, kBuffer + 300), 5);
  EXPECT_FALSE(chain.write(2, second));
}

class Recorder : public guest::WriteObserver {
 public:
  void on_device_write(guest::Gpa address, u64 length) override { writes.emplace_back(address, length); }
  std::vector<std::pair<guest::Gpa, u64>> writes;
};

TEST_F(QueueTest, TheEngineHearsOfWritesBeforeTheDriver) {
  fake_.add({{kBuffer, 16, true}, {kBuffer + 64, 16, true}});
  Queue queue(memory_, fake_.layout());
  Chain chain;
  ASSERT_TRUE(queue.pop(chain));
  Recorder recorder;
  memory_.set_observer(&recorder);
  queue.push(chain, 20);
  ASSERT_GE(recorder.writes.size(), 2U);
  EXPECT_EQ(recorder.writes[0], std::make_pair(kBuffer, u64{16}));
  EXPECT_EQ(recorder.writes[1], std::make_pair(kBuffer + 64, u64{4}));
  static_cast<void>(queue.publish());
  EXPECT_EQ(recorder.writes.back(), std::make_pair(fake_.used() + 2, u64{2}));
  memory_.set_observer(nullptr);
}

TEST_F(QueueTest, UnpopGivesChainsBack) {
  Queue queue(memory_, fake_.layout());
  fake_.add({{kBuffer, 1, true}});
  fake_.add({{kBuffer, 2, true}});
  Chain chain;
  ASSERT_TRUE(queue.pop(chain));
  ASSERT_TRUE(queue.pop(chain));
  queue.unpop(2);
  ASSERT_TRUE(queue.pop(chain));
  EXPECT_EQ(chain.writable_bytes, 1U);
}

TEST_F(QueueTest, NotificationsWithoutEventIndex) {
  Queue queue(memory_, fake_.layout());
  Chain chain;
  for (const u16 flags : {u16{0}, u16{1}}) {
    fake_.set_available_flags(flags);
    fake_.add({{kBuffer, 1, true}});
    ASSERT_TRUE(queue.pop(chain));
    queue.push(chain, 0);
    EXPECT_EQ(queue.publish(), flags == 0);
  }
}

TEST_F(QueueTest, NotificationsWithEventIndex) {
  Queue queue(memory_, fake_.layout(true));
  Chain chain;
  fake_.set_used_event(1);  // only the second
  for (const bool wanted : {false, true, false}) {
    fake_.add({{kBuffer, 1, true}});
    ASSERT_TRUE(queue.pop(chain));
    queue.push(chain, 0);
    EXPECT_EQ(queue.publish(), wanted);
  }
  EXPECT_FALSE(queue.pop(chain));
  EXPECT_EQ(fake_.available_event(), 3);  // and we ask to hear of the fourth
}

TEST_F(QueueTest, IndirectTables) {
  fake_.set_descriptor(0, {kBuffer, 4, kNext, 1});
  fake_.set_descriptor(1, {kTable, 48, kIndirect | kWrite, 0});  // kWrite is ignored (2.7.5.3.2)
  testing::poke(memory_, kTable, FakeDescriptor{kBuffer + 16, 4, kNext, 2});
  testing::poke(memory_, kTable + 32, FakeDescriptor{kBuffer + 32, 8, kWrite, 0});
  fake_.make_available(0);
  Queue queue(memory_, fake_.layout(false, true));
  Chain chain;
  ASSERT_TRUE(queue.pop(chain)) << queue.broken_reason();
  EXPECT_EQ(chain.readable_bytes, 8U);
  EXPECT_EQ(chain.writable_bytes, 8U);
}

TEST_F(QueueTest, HostileLoop) {
  fake_.set_descriptor(0, {kBuffer, 4, kNext, 1});
  fake_.set_descriptor(1, {kBuffer, 4, kNext, 0});
  expect_broken();
}

TEST_F(QueueTest, HostileSelfLoop) {
  fake_.set_descriptor(0, {kBuffer, 4, kNext, 0});
  expect_broken();
}

TEST_F(QueueTest, HostileAddresses) {
  for (const u64 address : {kMiB, kMiB - 3, ~u64{0}, ~u64{0} - 2, 4 * kGiB}) {
    SCOPED_TRACE(address);
    fake_ = FakeQueue(memory_, kBase, 8);
    fake_.set_descriptor(0, {address, 4, 0, 0});
    expect_broken();
  }
}

TEST_F(QueueTest, HostileLengths) {
  for (const u32 length : {0U, 0xFFFFFFFFU}) {
    SCOPED_TRACE(length);
    fake_ = FakeQueue(memory_, kBase, 8);
    fake_.set_descriptor(0, {kBuffer, length, 0, 0});
    expect_broken();
  }
}

TEST_F(QueueTest, HostileNextIndex) {
  fake_.set_descriptor(0, {kBuffer, 4, kNext, 8});
  expect_broken();
}

TEST_F(QueueTest, HostileHead) {
  fake_.make_available(8);
  Queue queue(memory_, fake_.layout());
  Chain chain;
  EXPECT_FALSE(queue.pop(chain));
  EXPECT_TRUE(queue.broken());
}

TEST_F(QueueTest, HostileAvailableIndex) {
  for (const bool event_index : {false, true}) {
    fake_.set_available_index(9);
    Queue queue(memory_, fake_.layout(event_index));
    Chain chain;
    EXPECT_FALSE(queue.pop(chain));
    EXPECT_TRUE(queue.broken());
  }
}

TEST_F(QueueTest, HostileOrder) {
  fake_.set_descriptor(0, {kBuffer, 4, kNext | kWrite, 1});
  fake_.set_descriptor(1, {kBuffer, 4, 0, 0});
  expect_broken();
}

TEST_F(QueueTest, HostileIndirect) {
  testing::poke(memory_, kTable, FakeDescriptor{kBuffer, 4, 0, 0});
  const std::vector<FakeDescriptor> cases = {
      {kTable, 0, kIndirect, 0},          {kTable, 17, kIndirect, 0},       {kTable, 15, kIndirect, 0},
      {kMiB - 16, 32, kIndirect, 0},      {~u64{0} - 15, 16, kIndirect, 0}, {kTable, 0xFFFFFFF0, kIndirect, 0},
      {kTable, 16, kIndirect | kNext, 1},
  };
  for (const FakeDescriptor& descriptor : cases) {
    SCOPED_TRACE(descriptor.length);
    fake_ = FakeQueue(memory_, kBase, 8);
    fake_.set_descriptor(0, descriptor);
    expect_broken();
  }
  fake_ = FakeQueue(memory_, kBase, 8);
  fake_.set_descriptor(0, {kTable, 16, kIndirect, 0});
  expect_broken(/*indirect=*/false);  // not negotiated
}

TEST_F(QueueTest, HostileNestedIndirect) {
  testing::poke(memory_, kTable, FakeDescriptor{kTable, 16, kIndirect, 0});
  fake_.set_descriptor(0, {kTable, 16, kIndirect, 0});
  expect_broken();
}

TEST_F(QueueTest, HostileIndirectLoopAndHugeTable) {
  testing::poke(memory_, kTable, FakeDescriptor{kBuffer, 4, kNext, 0});
  fake_.set_descriptor(0, {kTable, 32, kIndirect, 0});
  expect_broken();
  // A table of 8192 in a row: longer than any chain may be.
  for (u16 i = 0; i < 8192; ++i) {
    const u16 next = static_cast<u16>(i + 1);
    testing::poke(memory_, kTable + 16 * u64{i}, FakeDescriptor{kBuffer, 1, kNext, next});
  }
  fake_ = FakeQueue(memory_, kBase, 8);
  fake_.set_descriptor(0, {kTable, 8192 * 16, kIndirect, 0});
  expect_broken();
}

TEST_F(QueueTest, BadLayoutsAreBrokenQueues) {
  const QueueLayout good = fake_.layout();
  std::vector<QueueLayout> layouts(9, good);
  layouts[0].size = 0;
  layouts[1].size = 3;
  layouts[2].size = 2048;
  layouts[3].descriptors += 8;
  layouts[4].available += 1;
  layouts[5].used += 2;
  layouts[6].descriptors = kMiB - 16;
  layouts[7].available = ~u64{0} - 1;
  layouts[8].used = kMiB;
  for (const QueueLayout& layout : layouts) {
    Queue queue(memory_, layout);
    Chain chain;
    EXPECT_TRUE(queue.enabled());
    EXPECT_TRUE(queue.broken());
    EXPECT_FALSE(queue.pop(chain));
  }
  Queue disabled;
  Chain chain;
  EXPECT_FALSE(disabled.enabled());
  EXPECT_FALSE(disabled.pop(chain));
  EXPECT_FALSE(disabled.publish());
}

TEST_F(QueueTest, ServingIsBoundedWhenTheRingsOverlap) {
  // The used ring lies over the available ring: every push makes something available.
  QueueLayout layout = fake_.layout();
  layout.used = align_down(layout.available, 4);
  fake_.set_descriptor(0, {kBuffer, 4, kWrite, 0});
  Activation active;
  testing::FakeLink link;
  active.driver = &link;
  active.queues.emplace_back(memory_, layout);
  fake_.make_available(0);
  Chain chain;
  unsigned served = 0;
  active.serve(0, chain, [&](const Chain&) -> u32 {
    ++served;
    fake_.set_available_index(static_cast<u16>(served + 1));
    return 0;
  });
  EXPECT_LE(served, Activation::kServeBatch);
}

TEST(QueueFuzz, RandomBytesNeverHang) {
  std::mt19937 random(1);
  std::vector<u8> input(4096);
  for (int round = 0; round < 300; ++round) {
    for (u8& byte : input) byte = static_cast<u8>(random() % 7 == 0 ? random() : random() % 4);
    fuzz_queue(std::span<const u8>(input).first(random() % input.size()));
  }
  fuzz_queue({});
}

}  // namespace
}  // namespace pileus::virtio
