#include "virtio/raw_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace pileus::virtio {
namespace {

class RawFileTest : public ::testing::Test {
 protected:
  RawFileTest() : path_(::testing::TempDir() + "raw_file_test." + std::to_string(::getpid())) {
    std::ofstream file(path_, std::ios::binary);
    file << std::string(64 * 1024, 'a');
  }
  ~RawFileTest() override { std::filesystem::remove(path_); }

  std::string path_;
};

TEST_F(RawFileTest, ReadsWritesAndErases) {
  auto disk = RawFile::open(path_, Access::kReadWrite);
  ASSERT_TRUE(disk.ok());
  EXPECT_EQ((*disk)->size(), 64U * 1024);
  const std::vector<u8> data(100, 'b');
  ASSERT_TRUE((*disk)->write(1000, data).ok());
  ASSERT_TRUE((*disk)->write_zeroes(1050, 8192).ok());
  ASSERT_TRUE((*disk)->discard(32768, 4096).ok());
  ASSERT_TRUE((*disk)->flush().ok());
  std::vector<u8> out(8400);
  ASSERT_TRUE((*disk)->read(999, out).ok());
  EXPECT_EQ(out[0], 'a');
  EXPECT_EQ(out[50], 'b');
  EXPECT_EQ(out[51], 0);
  EXPECT_EQ(out[51 + 8191], 0);
  EXPECT_EQ(out[51 + 8192], 'a');
  EXPECT_EQ(std::filesystem::file_size(path_), 64U * 1024);
  EXPECT_FALSE((*disk)->read(60 * 1024, out).ok());
  EXPECT_FALSE((*disk)->write(~u64{0}, data).ok());
}

TEST_F(RawFileTest, ReadOnlyRefusesChanges) {
  auto disk = RawFile::open(path_, Access::kReadOnly);
  ASSERT_TRUE(disk.ok());
  const std::vector<u8> data(1, 'b');
  EXPECT_EQ((*disk)->write(0, data).error().code(), ErrorCode::kPermission);
  EXPECT_FALSE((*disk)->write_zeroes(0, 1).ok());
  EXPECT_FALSE((*disk)->discard(0, 1).ok());
  EXPECT_TRUE((*disk)->flush().ok());
}

TEST_F(RawFileTest, AFileThatShrankIsAnError) {
  auto disk = RawFile::open(path_, Access::kReadOnly);
  ASSERT_TRUE(disk.ok());
  std::filesystem::resize_file(path_, 100);
  std::vector<u8> out(512);
  EXPECT_EQ((*disk)->read(0, out).error().code(), ErrorCode::kIo);
}

TEST_F(RawFileTest, OneWriterOrManyReaders) {
  const auto reader = RawFile::open(path_, Access::kReadOnly);
  EXPECT_TRUE(RawFile::open(path_, Access::kReadOnly).ok());
  EXPECT_EQ(RawFile::open(path_, Access::kReadWrite).error().code(), ErrorCode::kBusy);
  EXPECT_EQ(RawFile::open(path_ + ".none", Access::kReadOnly).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(RawFile::open(::testing::TempDir(), Access::kReadOnly).error().code(), ErrorCode::kInvalid);
}

}  // namespace
}  // namespace pileus::virtio
