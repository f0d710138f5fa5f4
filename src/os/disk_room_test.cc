#include "os/disk_room.h"

#include <gtest/gtest.h>

namespace pileus::os {
namespace {

TEST(DiskRoom, IsThatOfTheFileSystem) {
  const DiskRoom room = disk_room(std::filesystem::path(testing::TempDir())).value();
  EXPECT_GT(room.total, 0U);
  EXPECT_LE(room.free, room.total);
  EXPECT_FALSE(disk_room(std::filesystem::path("/nowhere/at/all")).ok());
}

TEST(DiskRoom, SomeIsKept) {
  EXPECT_EQ(kept_room({.total = 2 * kGiB, .free = 0}), 2 * kGiB / 20);
  EXPECT_EQ(kept_room({.total = 1000 * kGiB, .free = 0}), 512 * kMiB);
  EXPECT_EQ(kept_room({}), 0U);
}

}  // namespace
}  // namespace pileus::os
