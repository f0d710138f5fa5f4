#include "virtio/net.h"

#include <gtest/gtest.h>

#include "virtio/fake_driver.h"

namespace pileus::virtio {
namespace {

using testing::FakeDriver;

constexpr guest::Gpa kData = FakeDriver::kBuffersAt;
constexpr u64 kMergeReceive = u64{1} << 15;

class FakeNet : public NetBackend {
 public:
  void send(const packet::Offload& offload, std::span<u8> frame) override {
    sent.emplace_back(frame.begin(), frame.end());
    sent_offloads.push_back(offload);
  }
  bool takes_offloads() const override { return offloads; }
  bool can_send() const override { return !full; }
  void set_ready(std::function<void()> new_ready) override { ready = std::move(new_ready); }
  void set_receiver(Receiver new_receiver) override { receiver = std::move(new_receiver); }
  std::vector<std::vector<u8>> sent;
  std::vector<packet::Offload> sent_offloads;
  Receiver receiver;
  std::function<void()> ready;
  bool offloads = false;
  bool full = false;
};

class NetTest : public ::testing::Test {
 protected:
  NetTest() {
    auto backend = std::make_unique<FakeNet>();
    backend_ = backend.get();
    net_ = std::make_unique<Net>(std::move(backend), MacAddress{2, 0, 0, 0, 0, 1}, u16{1400});
    start(net_->features());
  }
  void start(u64 features) {
    driver_.reset();
    driver_ = std::make_unique<FakeDriver>(*net_, features);
  }
  static std::vector<u8> frame(std::size_t size, u8 value = 7) {
    std::vector<u8> bytes(size, value);
    bytes[0] = static_cast<u8>(size);
    return bytes;
  }
  void receive(const std::vector<u8>& bytes) { backend_->receiver({}, bytes); }

  FakeNet* backend_ = nullptr;
  std::unique_ptr<Net> net_;
  std::unique_ptr<FakeDriver> driver_;
};

TEST_F(NetTest, ConfigSpace) {
  std::array<u8, 12> config{};
  net_->read_config(0, config);
  EXPECT_EQ(config, (std::array<u8, 12>{2, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0x78, 0x05}));
}

TEST_F(NetTest, Transmits) {
  driver_->put(kData + 12, frame(60));
  driver_->queues[1].add({{kData, 12, false}, {kData + 12, 20, false}, {kData + 32, 40, false}});
  net_->notify(1);
  ASSERT_EQ(backend_->sent.size(), 1U);
  EXPECT_EQ(backend_->sent[0], frame(60));
  EXPECT_EQ(driver_->queues[1].take_used()->length, 0U);
}

TEST_F(NetTest, CompletesChecksums) {
  // A UDP-like part from 14 on: the field at 14 + 6 holds the pseudo-header's sum.
  std::vector<u8> bytes(14 + 11, 0);
  for (std::size_t i = 14; i < bytes.size(); ++i) bytes[i] = static_cast<u8>(i * 37);
  bytes[20] = 0x12;
  bytes[21] = 0x34;
  u64 sum = 0;
  for (std::size_t i = 14; i < bytes.size(); i += 2) {
    sum += u64{bytes[i]} << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0);
  }
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  const auto expected = static_cast<u16>(~sum);
  testing::poke(driver_->memory, kData, std::array<u8, 12>{1, 0, 0, 0, 0, 0, 14, 0, 6, 0, 0, 0});
  driver_->put(kData + 12, bytes);
  driver_->queues[1].add({{kData, static_cast<u32>(12 + bytes.size()), false}});
  net_->notify(1);
  ASSERT_EQ(backend_->sent.size(), 1U);
  EXPECT_EQ(backend_->sent[0][20], expected >> 8);
  EXPECT_EQ(backend_->sent[0][21], expected & 0xFF);
}

TEST_F(NetTest, HostileFramesAreDropped) {
  using HeaderBytes = std::array<u8, 12>;
  const std::vector<HeaderBytes> headers = {
      {1, 0, 0, 0, 0, 0, 59, 0, 0, 0, 0, 0},  // the field leaves the frame
      {1, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0},
      {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},  // segmentation was not offered
  };
  for (const HeaderBytes& header : headers) {
    testing::poke(driver_->memory, kData, header);
    driver_->queues[1].add({{kData, 72, false}});
    net_->notify(1);
    EXPECT_TRUE(driver_->queues[1].take_used());
  }
  testing::poke(driver_->memory, kData, HeaderBytes{});
  driver_->queues[1].add({{kData, 12, false}});       // no frame
  driver_->queues[1].add({{kData, 0x18000, false}});  // too long
  net_->notify(1);
  EXPECT_TRUE(backend_->sent.empty());
  EXPECT_TRUE(driver_->link.reset_reason.empty());
  driver_->queues[1].add({{kData, 11, false}});  // no header
  net_->notify(1);
  EXPECT_FALSE(driver_->link.reset_reason.empty());
}

TEST_F(NetTest, ReceivesIntoOneBuffer) {
  driver_->queues[0].add({{kData, 12, true}, {kData + 0x100, 1500, true}});
  receive(frame(60));
  EXPECT_EQ(driver_->queues[0].take_used()->length, 72U);
  EXPECT_EQ(driver_->get(kData + 0x100, 60), frame(60));
  EXPECT_EQ(testing::peek<u16>(driver_->memory, kData + 10), 1);  // num_buffers
  EXPECT_EQ(driver_->link.used, std::vector<u16>{0});
}

TEST_F(NetTest, ReceivesIntoMergedBuffers) {
  for (u64 i = 0; i < 3; ++i) driver_->queues[0].add({{kData + 0x100 * i, 64, true}});
  receive(frame(150));
  EXPECT_EQ(driver_->queues[0].take_used()->length, 64U);
  EXPECT_EQ(driver_->queues[0].take_used()->length, 64U);
  EXPECT_EQ(driver_->queues[0].take_used()->length, 34U);
  EXPECT_EQ(testing::peek<u16>(driver_->memory, kData + 10), 3);
  std::vector<u8> bytes = driver_->get(kData + 12, 52);
  for (u64 i = 1; i < 3; ++i) {
    const auto more = driver_->get(kData + 0x100 * i, i == 1 ? 64 : 34);
    bytes.insert(bytes.end(), more.begin(), more.end());
  }
  EXPECT_EQ(bytes, frame(150));
}

TEST_F(NetTest, AFrameWaitsUntilAllItsBuffersAreThere) {
  driver_->queues[0].add({{kData, 64, true}});
  receive(frame(100));
  EXPECT_FALSE(driver_->queues[0].take_used());
  driver_->queues[0].add({{kData + 0x100, 64, true}});
  net_->notify(0);
  EXPECT_EQ(driver_->queues[0].take_used()->length, 64U);
  EXPECT_EQ(driver_->queues[0].take_used()->length, 48U);
}

TEST_F(NetTest, WithoutMergingOneBufferMustDo) {
  start(net_->features() & ~kMergeReceive);
  driver_->queues[0].add({{kData, 64, true}});
  receive(frame(100));
  EXPECT_EQ(net_->dropped_frames(), 1U);
  receive(frame(40));
  EXPECT_EQ(driver_->queues[0].take_used()->length, 52U);
}

TEST_F(NetTest, WaitingFramesAreBoundedAndStayInOrder) {
  for (u8 i = 0; i < 255; ++i) receive(frame(60, i));
  for (u8 i = 0; i < 45; ++i) receive(frame(60, 255));
  EXPECT_EQ(net_->dropped_frames(), 300U - 256);
  for (u8 i = 0; i < 100; ++i) driver_->queues[0].add({{kData + 0x100 * u64{i}, 128, true}});
  net_->notify(0);
  for (u8 i = 0; i < 100; ++i) {
    ASSERT_TRUE(driver_->queues[0].take_used());
    EXPECT_EQ(driver_->get(kData + 0x100 * u64{i} + 13, 1)[0], i);
  }
}

TEST_F(NetTest, ABufferWithoutRoomForTheHeaderIsADriverError) {
  driver_->queues[0].add({{kData, 11, true}});
  receive(frame(60));
  EXPECT_FALSE(driver_->link.reset_reason.empty());
}

TEST_F(NetTest, ResetEndsReception) {
  net_->reset();
  EXPECT_FALSE(backend_->receiver);
}

// Bits 0, 1, 7 and 11: what is left to the card, and what the card may leave to the guest.
constexpr u64 kGuestChecksum = u64{1} << 1;
constexpr u64 kGuestTso4 = u64{1} << 7;
constexpr u64 kHostTso4 = u64{1} << 11;

TEST_F(NetTest, LargeSegmentsAreForBackendsThatTakeThem) {
  EXPECT_EQ(net_->features() & kHostTso4, 0U);
  backend_->offloads = true;
  EXPECT_NE(net_->features() & kHostTso4, 0U);
  start(net_->features());
  const std::vector<u8> segment = frame(9000);
  testing::poke(driver_->memory, kData, std::array<u8, 12>{1, 1, 54, 0, 0x78, 5, 34, 0, 16, 0, 0, 0});
  driver_->put(kData + 12, segment);
  driver_->queues[1].add({{kData, static_cast<u32>(12 + segment.size()), false}});
  net_->notify(1);
  ASSERT_EQ(backend_->sent.size(), 1U);
  EXPECT_EQ(backend_->sent[0], segment);
  EXPECT_EQ(backend_->sent_offloads[0].gso_size, 1400);
  EXPECT_EQ(backend_->sent_offloads[0].flags, packet::Offload::kNeedsChecksum);
  // A driver that did not agree to it is not obeyed.
  start(net_->features() & ~kHostTso4);
  testing::poke(driver_->memory, kData, std::array<u8, 12>{1, 1, 54, 0, 0x78, 5, 34, 0, 16, 0, 0, 0});
  driver_->queues[1].add({{kData, static_cast<u32>(12 + segment.size()), false}});
  net_->notify(1);
  EXPECT_EQ(backend_->sent.size(), 1U);
}

TEST_F(NetTest, FramesStayInTheQueueWhileTheBackendIsFull) {
  backend_->full = true;
  driver_->put(kData + 12, frame(60));
  driver_->queues[1].add({{kData, 72, false}});
  net_->notify(1);
  EXPECT_TRUE(backend_->sent.empty());
  EXPECT_FALSE(driver_->queues[1].take_used().has_value());
  backend_->full = false;
  backend_->ready();
  ASSERT_EQ(backend_->sent.size(), 1U);
  EXPECT_TRUE(driver_->queues[1].take_used().has_value());
}

TEST_F(NetTest, WhatTheGuestCannotFinishIsFinishedForIt) {
  std::vector<u8> segment(14 + 20 + 20 + 2000, 0);
  segment[12] = 8;
  segment[14] = 0x45;
  segment[16] = static_cast<u8>((segment.size() - 14) >> 8);
  segment[17] = static_cast<u8>(segment.size() - 14);
  segment[23] = 6;
  segment[14 + 20 + 12] = 0x50;
  const packet::Offload offload{.flags = packet::Offload::kNeedsChecksum,
                                .gso_type = packet::Offload::kTcp4,
                                .gso_size = 1000,
                                .checksum_start = 34,
                                .checksum_offset = 16};
  const auto receive_with = [&](u64 features) {
    start(features);
    for (u64 i = 0; i < 4; ++i) driver_->queues[0].add({{kData + i * 4096, 4096, true}});
    backend_->receiver(offload, segment);
    std::vector<u32> lengths;
    while (const auto used = driver_->queues[0].take_used()) lengths.push_back(used->length);
    return lengths;
  };
  EXPECT_EQ(receive_with(net_->features()), (std::vector<u32>{2054 + 12}));
  EXPECT_EQ(receive_with(net_->features() & ~kGuestTso4), (std::vector<u32>{1054 + 12, 1054 + 12}));
  EXPECT_EQ(receive_with(net_->features() & ~(kGuestTso4 | kGuestChecksum)), (std::vector<u32>{1054 + 12, 1054 + 12}));
}

}  // namespace
}  // namespace pileus::virtio
