// What is left free for the disks of running VMs.
#include "host/capacity.h"

#include <gtest/gtest.h>

#include "os/disk_room.h"

namespace pileus::host {
namespace {

const std::filesystem::path kFolder = "/tmp";
constexpr u64 kNoise = 64 * kMiB;  // others write there meanwhile

TEST(Capacity, WhatComesLeavesTheRoomThatIsKept) {
  const os::DiskRoom room = os::disk_room(kFolder).value();
  const u64 kept = 2 * os::kept_room(room);
  if (room.free < kept + 2 * kNoise) GTEST_SKIP() << kFolder << " is full";
  const u64 fits = room.free - kept;
  EXPECT_TRUE(check_room(kFolder, 0).ok());
  EXPECT_TRUE(check_room(kFolder, fits - kNoise).ok());
  EXPECT_EQ(check_room(kFolder, fits + kNoise).error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(check_room(kFolder, ~u64{0}).error().code(), ErrorCode::kExhausted);
  EXPECT_FALSE(is_disk_full(kFolder, false));
}

TEST(Capacity, AFolderThatIsNotThereHasNoRoom) { EXPECT_FALSE(check_room(kFolder / "nothing" / "here", 0).ok()); }

}  // namespace
}  // namespace pileus::host
