#include "virtio/cd_drive.h"

#include <gtest/gtest.h>

#include "virtio/empty_disk.h"

namespace pileus::virtio {
namespace {

constexpr u64 kSectors = 1000;
constexpr Sense kInvalidField{5, 0x24, 0};

class CdDriveTest : public ::testing::Test {
 protected:
  CdDrive::Answer execute(const std::vector<u8>& command) const {
    std::array<u8, 16> padded{};
    std::copy(command.begin(), command.end(), padded.begin());
    return drive_.execute(padded);
  }
  std::vector<u8> data(const std::vector<u8>& command) const {
    const CdDrive::Answer answer = execute(command);
    EXPECT_FALSE(answer.sense.has_value());
    return answer.data;
  }
  CdDrive drive_{std::make_unique<EmptyDisk>(kSectors * CdDrive::kSector + 100)};
};

TEST_F(CdDriveTest, SaysWhatItIs) {
  const std::vector<u8> all = data({0x12, 0, 0, 0, 255, 0});
  ASSERT_EQ(all.size(), 36u);
  EXPECT_EQ(all[0], 5);
  EXPECT_EQ(all[1], 0x80);
  EXPECT_EQ(std::string(all.begin() + 8, all.begin() + 16), "Pileus  ");
  EXPECT_EQ(data({0x12, 0, 0, 0, 5, 0}).size(), 5u);
  EXPECT_EQ(execute({0x12, 1, 0, 0, 255, 0}).sense, kInvalidField);
}

TEST_F(CdDriveTest, IsReadyAndStaysClosed) {
  for (const u8 operation : {u8{0x00}, u8{0x1B}, u8{0x1E}}) {
    const CdDrive::Answer answer = execute({operation});
    EXPECT_FALSE(answer.sense.has_value());
    EXPECT_TRUE(answer.data.empty());
  }
  EXPECT_EQ(data({0x03, 0, 0, 0, 18, 0}), encode_sense(std::nullopt));
}

TEST_F(CdDriveTest, WholeSectorsCount) { EXPECT_EQ(data({0x25}), (std::vector<u8>{0, 0, 3, 0xE7, 0, 0, 8, 0})); }

TEST_F(CdDriveTest, ReadsNothingBehindTheEnd) {
  const CdDrive::Answer last = execute({0x28, 0, 0, 0, 3, 0xE6, 0, 0, 2, 0});
  EXPECT_FALSE(last.sense.has_value());
  EXPECT_EQ(last.disc_offset, 998 * CdDrive::kSector);
  EXPECT_EQ(last.disc_bytes, 2 * CdDrive::kSector);
  EXPECT_EQ(execute({0x28, 0, 0, 0, 3, 0xE6, 0, 0, 3, 0}).sense, (Sense{5, 0x21, 0}));
  EXPECT_EQ(execute({0xA8, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}).sense, (Sense{5, 0x21, 0}));
  EXPECT_EQ(execute({0xA8, 0, 0, 0, 0, 0, 0, 0, 3, 0xE8}).disc_bytes, kSectors * CdDrive::kSector);
}

TEST_F(CdDriveTest, HasOneTrackOfData) {
  EXPECT_EQ(data({0x43, 0, 0, 0, 0, 0, 0, 0, 100, 0}),
            (std::vector<u8>{0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xAA, 0, 0, 0, 3, 0xE8}));
  // As times: 2 seconds before the first sector; 1,000 sectors are 13 seconds and 25 frames.
  const std::vector<u8> times = data({0x43, 2, 0, 0, 0, 0, 0, 0, 100, 0});
  EXPECT_EQ(std::vector<u8>(times.begin() + 8, times.begin() + 12), (std::vector<u8>{0, 0, 2, 0}));
  EXPECT_EQ(std::vector<u8>(times.begin() + 16, times.end()), (std::vector<u8>{0, 0, 15, 25}));
  EXPECT_EQ(data({0x43, 0, 0, 0, 0, 0, 0xAA, 0, 100, 0}).size(), 12u);
  EXPECT_EQ(data({0x43, 0, 1, 0, 0, 0, 0, 0, 100, 0}).size(), 12u);
  EXPECT_EQ(execute({0x43, 0, 0, 0, 0, 0, 2, 0, 100, 0}).sense, kInvalidField);
  EXPECT_EQ(execute({0x43, 0, 4, 0, 0, 0, 0, 0, 100, 0}).sense, kInvalidField);
}

TEST_F(CdDriveTest, ModePagesSayWhatItCanDo) {
  const std::vector<u8> ten = data({0x5A, 8, 0x2A, 0, 0, 0, 0, 0, 128, 0});
  ASSERT_EQ(ten.size(), 28u);
  EXPECT_EQ(ten[1], 26);
  EXPECT_EQ(ten[8], 0x2A);
  EXPECT_EQ(data({0x1A, 8, 0x3F, 0, 128, 0}).size(), 24u);
  EXPECT_EQ(execute({0x5A, 8, 0x01, 0, 0, 0, 0, 0, 128, 0}).sense, kInvalidField);
}

TEST_F(CdDriveTest, TheDiscIsThereAndNothingHappensToIt) {
  EXPECT_EQ(data({0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8, 0}), (std::vector<u8>{0, 6, 4, 0x10, 0, 2, 0, 0}));
  EXPECT_EQ(data({0x4A, 1, 0, 0, 0x02, 0, 0, 0, 8, 0}), (std::vector<u8>{0, 2, 0x80, 0x10}));
  EXPECT_EQ(execute({0x4A, 0, 0, 0, 0x10, 0, 0, 0, 8, 0}).sense, kInvalidField);  // to be told later
  EXPECT_EQ(data({0x46, 2, 0, 0, 0, 0, 0, 0, 8, 0}), (std::vector<u8>{0, 0, 0, 4, 0, 0, 0, 8}));
}

TEST_F(CdDriveTest, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(execute({0x2A}).sense, (Sense{5, 0x20, 0}));  // WRITE
  EXPECT_EQ(encode_sense(Sense{5, 0x20, 1}),
            (std::vector<u8>{0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x20, 1, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace pileus::virtio
