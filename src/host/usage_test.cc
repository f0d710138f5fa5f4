#include "host/usage.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace pileus::host {
namespace {

TEST(Usage, ReadsWhatTheSystemTellsOfAProcess) {
  const std::string stat =
      "42 (a ) name) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 8 0 1 1000 30 18446744073709551615";
  const std::string io =
      "rchar: 9\nwchar: 9\nsyscr: 1\nsyscw: 1\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 0\n";
  const control::InstanceUsage usage = parse_process_usage(stat, "1000 30 5 1 0 20 0\n", io);
  const u64 ticks = static_cast<u64>(::sysconf(_SC_CLK_TCK));
  EXPECT_EQ(usage.cpu_us, 300 * 1'000'000 / ticks);
  EXPECT_EQ(usage.memory_bytes, 30 * static_cast<u64>(::sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(usage.disk_read_bytes, 4096U);
  EXPECT_EQ(usage.disk_written_bytes, 8192U);
}

TEST(Usage, OfAProcessThatIsGoneIsNothing) {
  EXPECT_EQ(parse_process_usage("", "", ""), control::InstanceUsage());
  EXPECT_EQ(parse_process_usage("42 (x", "-", "read_bytes:"), control::InstanceUsage());
}

TEST(Usage, OfAFolderWithoutInstancesIsNothing) {
  EXPECT_TRUE(measure_usage("/nonexistent/instances", "/nonexistent/switch").empty());
}

}  // namespace
}  // namespace pileus::host
