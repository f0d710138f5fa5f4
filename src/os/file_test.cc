#include "os/file.h"

#include <gtest/gtest.h>

#include "os/directory.h"

namespace pileus::os {
namespace {

TEST(File, IsReadWholeWhateverItsLength) {
  const TemporaryDirectory folder = std::move(TemporaryDirectory::create("/tmp/file-test-")).value();
  const auto path = folder.path() / "file";
  for (const u64 size : {u64{0}, u64{1}, 64 * kKiB - 1, 64 * kKiB, 3 * kMiB + 7}) {
    std::string content(size, 'x');
    if (size != 0) content.back() = 'y';
    ASSERT_TRUE(replace_file(path, content, 0600).ok());
    EXPECT_EQ(read_file(path, size).value(), content);
    EXPECT_EQ(read_bytes(path, 16 * kMiB).value(), std::vector<u8>(content.begin(), content.end()));
    if (size == 0) continue;
    EXPECT_EQ(read_bytes(path, size - 1).error().code(), ErrorCode::kInvalid);
  }
}

TEST(File, ThoseThatSayTheyAreEmptyAreReadToo) {
  EXPECT_NE(read_file("/proc/self/status").value().find("VmRSS"), std::string::npos);
}

}  // namespace
}  // namespace pileus::os
