#include "vmm/units.h"

#include <gtest/gtest.h>

namespace pileus::vmm {
namespace {

TEST(Size, ReadsWhatPeopleWrite) {
  EXPECT_EQ(parse_size("512M").value(), 512 * kMiB);
  EXPECT_EQ(parse_size("8G").value(), 8 * kGiB);
  EXPECT_EQ(parse_size("8g").value(), 8 * kGiB);
  EXPECT_EQ(parse_size("64KiB").value(), 64 * kKiB);
  EXPECT_EQ(parse_size("64KB").value(), 64 * kKiB);
  EXPECT_EQ(parse_size("1T").value(), 1024 * kGiB);
  EXPECT_EQ(parse_size("4096").value(), 4096U);
}

TEST(Size, RefusesTheRest) {
  for (const char* text : {"", "0", "M", "-1G", "1.5G", "8X", "8GG", " 8G", "8G ", "8 G", "0x10",
                           "99999999999999999999", "18014398509481984K", "16777216T"}) {
    EXPECT_FALSE(parse_size(text).ok()) << text;
  }
}

TEST(Size, IsWrittenShortAndExact) {
  EXPECT_EQ(format_size(512 * kMiB), "512M");
  EXPECT_EQ(format_size(8 * kGiB), "8G");
  EXPECT_EQ(format_size(kGiB + kMiB), "1025M");
  EXPECT_EQ(format_size(4097), "4097");
  EXPECT_EQ(format_size(0), "0");
}

TEST(Forward, ReadsHostThenGuest) {
  const PortForward forward = parse_forward("2222:22").value();
  EXPECT_EQ(forward.host_port, 2222);
  EXPECT_EQ(forward.guest_port, 22);
  EXPECT_TRUE(parse_forward("65535:1").ok());
  const PortForward elsewhere = parse_forward("127.3.2.1:22:22").value();
  EXPECT_EQ(elsewhere.address, "127.3.2.1");
  EXPECT_EQ(format_forward(elsewhere), "127.3.2.1:22:22");
  EXPECT_EQ(format_forward(forward), "2222:22");
  EXPECT_FALSE(parse_forward("10.0.0.1:22:22").ok()) << "others could reach it";
}

TEST(Forward, RefusesTheRest) {
  for (const char* text :
       {"", "22", ":", "22:", ":22", "0:22", "22:0", "65536:22", "22:65536", "a:b", "1:2:3", "-1:22", " 1:2", "1:2 "}) {
    EXPECT_FALSE(parse_forward(text).ok()) << text;
  }
}

}  // namespace
}  // namespace pileus::vmm
