#include "machine/firmware/fw_cfg.h"

#include <gtest/gtest.h>

namespace pileus::machine {
namespace {

std::vector<u8> item(FwCfg& device, u16 key, u64 size) {
  device.write(0, 2, key);
  std::vector<u8> bytes;
  for (u64 i = 0; i < size; ++i) bytes.push_back(static_cast<u8>(device.read(1, 1)));
  return bytes;
}

TEST(FwCfg, SaysWhatItIsAndZerosBehindTheEnd) {
  FwCfg device(3);
  EXPECT_EQ(item(device, 0, 6), (std::vector<u8>{'Q', 'E', 'M', 'U', 0, 0}));
  EXPECT_EQ(item(device, 1, 4), (std::vector<u8>{1, 0, 0, 0}));
  EXPECT_EQ(item(device, 5, 2), (std::vector<u8>{3, 0}));
  EXPECT_EQ(item(device, 0x7777, 2), (std::vector<u8>{0, 0}));
}

TEST(FwCfg, ListsFilesInItsDirectory) {
  FwCfg device(1);
  device.add_file("etc/one", {1, 2, 3});
  device.add_file("etc/two", std::vector<u8>(300, 9));
  const std::vector<u8> directory = item(device, 0x19, 4 + 2 * 64);
  EXPECT_EQ((std::vector<u8>{directory.begin(), directory.begin() + 12}),
            (std::vector<u8>{0, 0, 0, 2, 0, 0, 0, 3, 0, 0x20, 0, 0}));
  EXPECT_EQ(std::string(directory.begin() + 12, directory.begin() + 20), std::string("etc/one\0", 8));
  EXPECT_EQ((std::vector<u8>{directory.begin() + 68, directory.begin() + 74}), (std::vector<u8>{0, 0, 1, 44, 0, 0x21}));
  EXPECT_EQ(item(device, 0x20, 4), (std::vector<u8>{1, 2, 3, 0}));
  device.reset();
  EXPECT_EQ(device.read(1, 1), u64{'Q'});
}

}  // namespace
}  // namespace pileus::machine
