#include "virtio/rng.h"

#include <gtest/gtest.h>

#include "virtio/fake_driver.h"

namespace pileus::virtio {
namespace {

using testing::FakeDriver;

TEST(Rng, FillsWritableBytesUpToItsBound) {
  Rng rng;
  FakeDriver driver(rng);
  driver.queues[0].add({{FakeDriver::kBuffersAt, 32, true}, {FakeDriver::kBuffersAt + 64, 32, true}});
  driver.queues[0].add({{FakeDriver::kBuffersAt + 0x1000, 0x20000, true}});
  driver.queues[0].add({{FakeDriver::kBuffersAt, 32, false}});
  rng.notify(0);
  EXPECT_EQ(driver.queues[0].take_used()->length, 64U);
  EXPECT_EQ(driver.queues[0].take_used()->length, 64U * 1024);
  EXPECT_EQ(driver.queues[0].take_used()->length, 0U);
  EXPECT_NE(driver.get(FakeDriver::kBuffersAt, 32), driver.get(FakeDriver::kBuffersAt + 64, 32));
  EXPECT_EQ(driver.get(FakeDriver::kBuffersAt + 32, 32), std::vector<u8>(32));
  rng.notify(7);  // no such queue
}

TEST(Rng, NotifyBeforeActivationDoesNothing) {
  Rng rng;
  rng.notify(0);
}

}  // namespace
}  // namespace pileus::virtio
