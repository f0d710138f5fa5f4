#include "vmm/attached_disks.h"

#include <gtest/gtest.h>

#include <fstream>

#include "store/clone.h"

namespace pileus::vmm {
namespace {

class AttachedDisks : public ::testing::Test {
 protected:
  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(::testing::TempDir() + "attached_").value();
  VmDirectory vm_{folder_.path()};
};

TEST_F(AttachedDisks, ComeBackAsWritten) {
  EXPECT_TRUE(load_disks(vm_).value().empty());
  std::vector<AttachedDisk> disks;
  ASSERT_TRUE(add_disk(disks, {.id = "vol0123456789abcdef0", .path = "/a", .device = "/dev/sdf"}).ok());
  ASSERT_TRUE(add_disk(disks, {.id = "b", .path = "/b", .device = "", .read_only = true}).ok());
  EXPECT_EQ(disks[1].place, kFirstFreePlace + 1);
  ASSERT_TRUE(save_disks(vm_, disks).ok());
  EXPECT_EQ(load_disks(vm_).value(), disks);
}

TEST_F(AttachedDisks, PlacesAreFilledFromTheLowest) {
  std::vector<AttachedDisk> disks;
  for (u32 i = kFirstFreePlace; i < machine::kDiskPlaces; ++i) {
    ASSERT_TRUE(add_disk(disks, {.id = std::to_string(i), .path = "/d", .device = ""}).ok());
  }
  EXPECT_EQ(add_disk(disks, {.id = "more", .path = "/d", .device = ""}).error().code(), ErrorCode::kExhausted);
  disks.erase(disks.begin() + 3);
  EXPECT_EQ(add_disk(disks, {.id = "9", .path = "/d", .device = ""}).error().code(), ErrorCode::kExists);
  ASSERT_TRUE(add_disk(disks, {.id = "more", .path = "/d", .device = ""}).ok());
  EXPECT_EQ(disks.back().place, kFirstFreePlace + 3);
  for (const char* const id : {"", "longer-than-virtio-has"}) {
    EXPECT_EQ(add_disk(disks, {.id = id, .path = "/d", .device = ""}).error().code(), ErrorCode::kInvalid) << id;
  }
}

TEST_F(AttachedDisks, RefusesNonsense) {
  const auto with = [](const std::string& fields) { return "{\"disks\":[{" + fields + "}]}"; };
  const std::string good = R"("id":"a","path":"/a","device":"","read_only":false,"place":2)";
  EXPECT_TRUE(parse_disks(with(good)).ok());
  EXPECT_FALSE(parse_disks(with(good + "},{" + good)).ok());
  EXPECT_FALSE(parse_disks(with(R"("id":"a","path":"/a","device":"","read_only":false,"place":1)")).ok());
  EXPECT_FALSE(parse_disks(with(R"("id":"a","path":"/a","device":"","read_only":false,"place":16)")).ok());
  EXPECT_FALSE(parse_disks(with(R"("id":"a","path":"/a","read_only":false,"place":2)")).ok());
  for (const char* const text : {"", "[]", "{}", "{\"disks\":{}}", "{\"disks\":[1]}"}) {
    EXPECT_EQ(parse_disks(text).error().code(), ErrorCode::kCorrupt) << text;
  }
}

TEST_F(AttachedDisks, FoldersAndFilesOpenAndAreLocked) {
  const std::string folder = (folder_.path() / "folder").string(), file = (folder_.path() / "disk.raw").string();
  ASSERT_TRUE(store::make_disk({}, folder, kMiB).ok());
  std::ofstream(file, std::ios::binary) << std::string(4096, 'x');
  for (const std::string& path : {folder, file}) {
    AttachedDisk disk{.id = "a", .path = path, .device = ""};
    {
      const OpenedDisk opened = open_disk(disk).value();
      EXPECT_FALSE(opened.disk.backend->read_only());
      EXPECT_EQ(opened.disk.serial, "a");
      EXPECT_EQ(opened.folder != nullptr, path == folder);
      EXPECT_EQ(open_disk(disk).error().code(), ErrorCode::kBusy);
    }
    disk.read_only = true;
    const OpenedDisk one = open_disk(disk).value();
    const OpenedDisk two = open_disk(disk).value();
    EXPECT_TRUE(one.disk.backend->read_only() && two.disk.backend->read_only());
    disk.read_only = false;
    EXPECT_EQ(open_disk(disk).error().code(), ErrorCode::kBusy);
  }
  EXPECT_FALSE(open_disk({.id = "a", .path = folder + "x", .device = ""}).ok());
}

}  // namespace
}  // namespace pileus::vmm
