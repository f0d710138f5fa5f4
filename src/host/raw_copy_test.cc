#include "host/raw_copy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "os/child_process.h"
#include "os/file.h"
#include "virtio/raw_file.h"

namespace pileus::host {
namespace {

constexpr u64 kPlaces = 600;
constexpr u64 kStride = 256 * kKiB;

class RawCopyTest : public ::testing::Test {
 protected:
  // A disk with a sector of data at each place.
  void SetUp() override {
    const os::Fd fd = os::open_file(from_, O_WRONLY | O_CREAT, 0600).value();
    ASSERT_EQ(::ftruncate(fd.get(), static_cast<off_t>(kPlaces * kStride)), 0);
    for (u64 i = 0; i < kPlaces; ++i) {
      ASSERT_EQ(::pwrite(fd.get(), "x", 1, static_cast<off_t>(i * kStride + kStride / 2)), 1);
    }
  }
  Result<> copy(const foreign::Progress& progress) {
    const auto disk = TRY(virtio::RawFile::open(from_, virtio::Access::kReadOnly));
    return write_raw(*disk, to_, progress);
  }

  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(::testing::TempDir() + "raw_copy_").value();
  const std::filesystem::path from_ = folder_.path() / "from";
  const std::filesystem::path to_ = folder_.path() / "to";
};

TEST_F(RawCopyTest, CopiesDataAndKeepsHoles) {
  int told = 0;
  ASSERT_TRUE(copy([&](double) { return ++told > 0; }).ok());
  EXPECT_GE(told, 3) << "whoever copies looks at the room between";
  EXPECT_TRUE(os::run_program({"cmp", from_.string(), to_.string()})->status.success());
  const auto allocated = os::run_program({"stat", "-c", "%b", to_.string()});
  EXPECT_LE(std::stoul(allocated->text) * 512, kPlaces * 128 * kKiB);
}

TEST_F(RawCopyTest, LeavesNothingWhenGivenUp) {
  EXPECT_EQ(copy([](double) { return false; }).error().code(), ErrorCode::kGone);
  EXPECT_FALSE(std::filesystem::exists(to_));
}

}  // namespace
}  // namespace pileus::host
