#include "virtio/scsi.h"

#include <gtest/gtest.h>

#include "virtio/empty_disk.h"
#include "virtio/fake_driver.h"

namespace pileus::virtio {
namespace {

using testing::FakeDriver;

constexpr u16 kControl = 0, kRequests = 2;
constexpr guest::Gpa kRequest = FakeDriver::kBuffersAt, kAnswer = kRequest + 0x1000;
constexpr u32 kRequestBytes = 19 + 32, kHeadBytes = 12, kSenseBytes = 96;
constexpr u8 kMark = 0xEE;

// Every sector begins with its number.
class NumberedDisc : public EmptyDisk {
 public:
  NumberedDisc() : EmptyDisk(100 * CdDrive::kSector) {}
  Result<> read(u64 offset, std::span<u8> out) override {
    TRY(EmptyDisk::read(offset, out));
    if (bad_) return Error(ErrorCode::kIo, "the test says no");
    if (offset % CdDrive::kSector == 0) out[0] = static_cast<u8>(offset / CdDrive::kSector);
    return {};
  }
  bool bad_ = false;
};

struct Response {
  u32 sense_bytes, residual;
  u8 status, response;
  bool operator==(const Response&) const = default;
};

class ScsiTest : public ::testing::Test {
 protected:
  // Sends a command that wants `room` bytes of data, to target and LUN as in the request's first four bytes.
  Response send(const std::vector<u8>& command, u32 room, std::array<u8, 4> lun = {1, 0, 0x40, 0}) {
    std::vector<u8> request(lun.begin(), lun.end());
    request.resize(19);
    request.insert(request.end(), command.begin(), command.end());
    request.resize(kRequestBytes);
    driver_.put(kRequest, request);
    driver_.put(kAnswer, std::vector<u8>(kHeadBytes + kSenseBytes + room + 1, kMark));
    driver_.queues[kRequests].add(
        {{kRequest, kRequestBytes, false}, {kAnswer, kHeadBytes + kSenseBytes, true}, {data_at(), room, true}});
    scsi_.notify(kRequests);
    const auto used = driver_.queues[kRequests].take_used();
    EXPECT_TRUE(used.has_value());
    const std::vector<u8> head = driver_.get(kAnswer, kHeadBytes);
    Response response{0, 0, head[10], head[11]};
    std::memcpy(&response.sense_bytes, head.data(), 4);
    std::memcpy(&response.residual, head.data() + 4, 4);
    return response;
  }
  static guest::Gpa data_at() { return kAnswer + kHeadBytes + kSenseBytes; }
  std::vector<u8> data(u64 length) const { return driver_.get(data_at(), length); }
  std::vector<u8> sense() const { return driver_.get(kAnswer + kHeadBytes, kFixedSenseBytes); }

  NumberedDisc* disc_ = new NumberedDisc;
  Scsi scsi_{std::unique_ptr<BlockBackend>(disc_)};
  FakeDriver driver_{scsi_};
};

TEST_F(ScsiTest, AnswersACommand) {
  EXPECT_EQ(send({0x12, 0, 0, 0, 36, 0}, 36), (Response{0, 0, 0, 0}));
  EXPECT_EQ(data(1)[0], 5);
  EXPECT_EQ(send({0x25}, 20), (Response{0, 12, 0, 0}));  // 12 bytes were not needed
  EXPECT_EQ(data(9), (std::vector<u8>{0, 0, 0, 99, 0, 0, 8, 0, kMark}));
}

TEST_F(ScsiTest, ReadsTheDisc) {
  EXPECT_EQ(send({0x28, 0, 0, 0, 0, 7, 0, 0, 2, 0}, 2 * CdDrive::kSector), (Response{0, 0, 0, 0}));
  EXPECT_EQ(data(1)[0], 7);
  EXPECT_EQ(driver_.get(data_at() + 2 * CdDrive::kSector, 1)[0], kMark);
}

TEST_F(ScsiTest, SenseTellsWhatIsWrong) {
  EXPECT_EQ(send({0x28, 0, 0, 0, 0, 100, 0, 0, 1, 0}, CdDrive::kSector),
            (Response{kFixedSenseBytes, CdDrive::kSector, 2, 0}));
  EXPECT_EQ(sense(), encode_sense(Sense{5, 0x21, 0}));
  disc_->bad_ = true;
  EXPECT_EQ(send({0x28, 0, 0, 0, 0, 1, 0, 0, 1, 0}, CdDrive::kSector),
            (Response{kFixedSenseBytes, CdDrive::kSector, 2, 0}));
  EXPECT_EQ(sense(), encode_sense(Sense{3, 0x11, 0}));
}

TEST_F(ScsiTest, ACommandForMoreThanThereIsRoomForOverruns) {
  constexpr u8 kOverrun = 1;
  EXPECT_EQ(send({0x28, 0, 0, 0, 0, 1, 0, 0, 1, 0}, 100), (Response{0, 100, 0, kOverrun}));
  EXPECT_EQ(data(1)[0], kMark);
}

TEST_F(ScsiTest, OtherTargetsAndUnitsAreNotThere) {
  constexpr u8 kBadTarget = 3;
  EXPECT_EQ(send({0x12, 0, 0, 0, 36, 0}, 36, {1, 1, 0x40, 0}).response, kBadTarget);
  EXPECT_EQ(send({0x12, 0, 0, 0, 36, 0}, 36, {1, 0, 0x40, 1}).response, kBadTarget);
  EXPECT_EQ(send({0x12, 0, 0, 0, 36, 0}, 36, {1, 0, 0, 0}).response, 0);
}

TEST_F(ScsiTest, TheDriverChoosesSizesUntilTheReset) {
  constexpr u32 kSenseAt = 20, kCommandAt = 24;
  const auto configured = [&](u32 offset) {
    std::array<u8, 4> raw{};
    scsi_.read_config(offset, raw);
    return raw;
  };
  scsi_.write_config(kSenseAt, std::array<u8, 4>{18, 0, 0, 0});
  scsi_.write_config(kCommandAt, std::array<u8, 4>{16, 0, 0, 0});
  scsi_.write_config(kCommandAt, std::array<u8, 1>{1});  // not a whole field
  EXPECT_EQ(configured(kSenseAt), (std::array<u8, 4>{18, 0, 0, 0}));
  EXPECT_EQ(configured(kCommandAt), (std::array<u8, 4>{16, 0, 0, 0}));
  EXPECT_EQ(send({0x25}, 8).response, 0);
  EXPECT_EQ(driver_.get(kAnswer + kHeadBytes + 18, 4), (std::vector<u8>{0, 0, 0, 99}));
  scsi_.reset();
  EXPECT_EQ(configured(kSenseAt), (std::array<u8, 4>{kSenseBytes, 0, 0, 0}));
  EXPECT_EQ(configured(kCommandAt), (std::array<u8, 4>{32, 0, 0, 0}));
}

TEST_F(ScsiTest, TaskManagementFindsNothingToAbort) {
  const auto ask = [&](const std::vector<u8>& request, u32 room) {
    driver_.put(kRequest, request);
    driver_.put(kAnswer, std::vector<u8>(8, kMark));
    driver_.queues[kControl].add({{kRequest, static_cast<u32>(request.size()), false}, {kAnswer, room, true}});
    scsi_.notify(kControl);
    EXPECT_TRUE(driver_.queues[kControl].take_used().has_value());
    return driver_.get(kAnswer, 5);
  };
  std::vector<u8> abort(24);
  abort[8] = 1;
  EXPECT_EQ(ask(abort, 1)[0], 0);
  abort[9] = 3;  // another target
  EXPECT_EQ(ask(abort, 1)[0], 12);
  EXPECT_EQ(ask({2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 5), std::vector<u8>(5));  // subscribe
  EXPECT_EQ(ask({9, 0, 0, 0}, 1)[0], 11);
}

TEST_F(ScsiTest, ARequestWithoutRoomForItsAnswerBreaksTheQueue) {
  driver_.queues[kRequests].add({{kRequest, kRequestBytes, false}, {kAnswer, kHeadBytes, true}});
  scsi_.notify(kRequests);
  EXPECT_NE(driver_.link.reset_reason, "");
}

}  // namespace
}  // namespace pileus::virtio
