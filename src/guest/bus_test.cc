#include "guest/bus.h"

#include <gtest/gtest.h>

#include <map>

namespace pileus::guest {
namespace {

struct Watcher final : DoorbellWatcher {
  void on_doorbell_added(u64 address, int event) override { known[address] = event; }
  void on_doorbell_removed(u64 address, int event) override {
    EXPECT_EQ(known[address], event);
    known.erase(address);
  }
  std::map<u64, int> known;
};

using Doorbells = std::map<u64, int>;

TEST(Bus, AWatcherKnowsTheDoorbellsThatThereAre) {
  Bus bus;
  bus.add_doorbell(0x1000, 5);
  Watcher watcher;
  bus.watch_doorbells(&watcher);
  EXPECT_EQ(watcher.known, (Doorbells{{0x1000, 5}}));
  bus.add_doorbell(0x2000, 6);
  bus.remove_doorbell(0x1000);
  bus.remove_doorbell(0x3000);
  EXPECT_EQ(watcher.known, (Doorbells{{0x2000, 6}}));
  bus.watch_doorbells(nullptr);
  bus.add_doorbell(0x4000, 7);
  EXPECT_EQ(watcher.known, (Doorbells{{0x2000, 6}}));
}

}  // namespace
}  // namespace pileus::guest
