#include "os/directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"

namespace pileus::os {
namespace {

constexpr uid_t kSomebody = 65534;

uid_t owner_of(const std::filesystem::path& path) {
  struct stat status = {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0);
  return status.st_uid;
}

class OwnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(make_directories(folder_ / "deeper"));
    ASSERT_TRUE(replace_file(folder_ / "file", "text"));
    ASSERT_TRUE(replace_file(elsewhere_, "text"));
    std::filesystem::create_symlink(elsewhere_, folder_ / "link");
  }

  TemporaryDirectory work_ = TemporaryDirectory::create(::testing::TempDir() + "owner-").value();
  std::filesystem::path folder_ = work_.path() / "library" / "image";
  std::filesystem::path elsewhere_ = work_.path() / "elsewhere";
};

TEST_F(OwnerTest, WhatRootMadeIsTheParentsOwners) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  ASSERT_EQ(::chown(folder_.parent_path().c_str(), kSomebody, kSomebody), 0);
  ASSERT_TRUE(give_to_owner_of_parent(folder_));
  EXPECT_EQ(owner_of(folder_), kSomebody);
  EXPECT_EQ(owner_of(folder_ / "file"), kSomebody);
  EXPECT_EQ(owner_of(folder_ / "link"), kSomebody);
  EXPECT_EQ(owner_of(elsewhere_), 0U) << "a link was followed";
}

TEST_F(OwnerTest, NothingHappensWithTheSameOwner) {
  ASSERT_TRUE(give_to_owner_of_parent(folder_));
  EXPECT_EQ(owner_of(folder_ / "file"), ::geteuid());
}

TEST_F(OwnerTest, NeitherAFileNorALinkIsAFolder) {
  EXPECT_FALSE(give_to_owner_of_parent(folder_ / "file"));
  EXPECT_FALSE(give_to_owner_of_parent(folder_ / "link"));
}

}  // namespace
}  // namespace pileus::os
