#include "engine/bt/stored/guarded_copy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <numeric>
#include <vector>

#include "engine/bt/signals.h"
#include "os/file.h"
#include "os/mapping.h"

namespace pileus::engine::bt::stored {
namespace {

constexpr u64 kPage = 4096;

TEST(GuardedCopy, CopiesSoManyBytesAndNoMore) {
  std::vector<u8> from(200);
  std::iota(from.begin(), from.end(), u8{1});
  for (u64 size = 0; size <= 150; ++size) {
    std::vector<u8> to(from.size(), 0xEE), right(from.size(), 0xEE);
    std::copy_n(from.begin() + 3, size, right.begin());
    EXPECT_TRUE(guarded_copy(to.data(), from.data() + 3, size));
    EXPECT_EQ(to, right) << size;
  }
}

// Whatever part of it the missing page meets: whole vectors, words or bytes.
TEST(GuardedCopy, FailsWhereTheFileHasEnded) {
  ASSERT_TRUE(install_signal_handlers().ok());
  const os::Fd file = os::anonymous_file("guarded-copy-test", 2 * kPage).value();
  const os::Mapping mapping = os::Mapping::file(file.get(), 0, 2 * kPage, false).value();
  ASSERT_EQ(::ftruncate(file.get(), kPage), 0);
  std::vector<u8> to(200);
  for (u64 size = 1; size <= 150; ++size) {
    EXPECT_TRUE(guarded_copy(to.data(), mapping.data() + kPage - size, size)) << size;
    for (u64 there = 0; there < size; ++there) {
      ASSERT_FALSE(guarded_copy(to.data(), mapping.data() + kPage - there, size)) << there << " of " << size;
    }
  }
}

}  // namespace
}  // namespace pileus::engine::bt::stored
