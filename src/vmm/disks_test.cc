#include "vmm/disks.h"

#include <gtest/gtest.h>

namespace pileus::vmm {
namespace {

class DisksTest : public testing::Test {
 protected:
  std::string file(const std::string& content) {
    const std::string path = folder_.path() / "disk";
    EXPECT_TRUE(os::replace_file(path, content).ok());
    return path;
  }
  static std::string padded(std::string start) {
    start.resize(4096);
    return start;
  }
  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(testing::TempDir() + "disks-").value();
};

TEST_F(DisksTest, ARawDiskHasItsSize) { EXPECT_EQ(probe_base_disk(file(padded(""))).value(), 4096U); }

TEST_F(DisksTest, OtherFormatsAreNamedWithTheWayOut) {
  const Result<u64> qcow2 = probe_base_disk(file(padded("QFI\xfb")));
  EXPECT_EQ(qcow2.error().code(), ErrorCode::kUnsupported);
  EXPECT_NE(qcow2.error().message().find("qemu-img convert"), std::string::npos);
  EXPECT_EQ(probe_base_disk(file(padded("KDMV"))).error().code(), ErrorCode::kUnsupported);
  EXPECT_EQ(probe_base_disk(file(padded("\x7f"
                                        "ELF")))
                .error()
                .code(),
            ErrorCode::kInvalid);
  EXPECT_EQ(probe_base_disk(file(padded("\x1f\x8b"))).error().code(), ErrorCode::kInvalid);
}

TEST_F(DisksTest, WhatIsNoDiskIsRefused) {
  EXPECT_FALSE(probe_base_disk(file("")).ok());
  EXPECT_FALSE(probe_base_disk(file("hello")).ok());
  EXPECT_FALSE(probe_base_disk(file(padded("") + "x")).ok());
  EXPECT_FALSE(probe_base_disk(folder_.path()).ok());
  EXPECT_FALSE(probe_base_disk("/dev/null").ok());
  EXPECT_FALSE(probe_base_disk(folder_.path() / "missing").ok());
}

TEST_F(DisksTest, ACdImageWithoutABootSectorNeedsACdDrive) {
  using namespace std::string_literals;
  std::string image(40960, 0);
  EXPECT_FALSE(needs_cd_drive(file(image)));
  image.replace(0x8000, 7, "\1CD001\1");
  EXPECT_FALSE(needs_cd_drive(file(image)));
  const std::string record = "\0CD001\1EL TORITO SPECIFICATION"s;
  image.replace(0x8800, record.size(), record);
  EXPECT_TRUE(needs_cd_drive(file(image)));
  EXPECT_EQ(open_cd(file(image)).value()->size(), image.size());
  image.replace(510, 2, "\x55\xaa");
  EXPECT_FALSE(needs_cd_drive(file(image)));
  EXPECT_FALSE(needs_cd_drive(folder_.path() / "missing"));
}

TEST_F(DisksTest, AnOverlayIsNotSmallerThanItsBase) {
  VmConfig config;
  config.base_disk = file(padded(""));
  config.disk_bytes = 512;
  const VmDirectory vm(folder_.path());
  EXPECT_EQ(create_overlay(vm, config).error().code(), ErrorCode::kInvalid);
  EXPECT_FALSE(std::filesystem::exists(vm.overlay()));
  config.disk_bytes = 1 * kMiB;
  ASSERT_TRUE(create_overlay(vm, config).ok());
  EXPECT_EQ(open_own_disk(vm, config).value().disk.backend->size(), config.disk_bytes);
  EXPECT_FALSE(has_seed(vm));
}

}  // namespace
}  // namespace pileus::vmm
